//! Whatever body comes as a form, in pieces of whatever size: it is read to its end or refused.
#![no_main]

use bytes::Bytes;
use futures_util::stream;
use libfuzzer_sys::fuzz_target;
use vitrina::http::multipart::{Part, Parts};

fuzz_target!(|input: &[u8]| {
    let Some((size, body)) = input.split_first() else { return };
    let pieces: Vec<_> = body
        .chunks(usize::from(*size).max(1))
        .map(|piece| std::io::Result::Ok(Bytes::copy_from_slice(piece)))
        .collect();
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        let form = Parts::new("multipart/form-data; boundary=X", stream::iter(pieces));
        let Ok(mut form) = form else { return };
        while let Ok(Some(part)) = form.next().await {
            let Part::File(mut file) = part else { continue };
            while let Ok(Some(_)) = file.chunk().await {}
        }
    });
});
