//! Bytes in memory, read bit by bit, the highest bit first. Every read may come back empty-handed.

pub(super) struct Bits<'a> {
    data: &'a [u8],
    at: usize,
}

impl<'a> Bits<'a> {
    pub(super) fn new(data: &'a [u8]) -> Self {
        Self { data, at: 0 }
    }

    /// A number of so many bits, up to 64.
    pub(super) fn take(&mut self, count: u32) -> Option<u64> {
        let mut value = 0;
        for _ in 0..count {
            let byte = self.data.get(self.at / 8)?;
            value = value << 1 | u64::from(byte >> (7 - self.at % 8) & 1);
            self.at += 1;
        }
        Some(value)
    }

    pub(super) fn flag(&mut self) -> Option<bool> {
        Some(self.take(1)? == 1)
    }

    /// A number of unknown length (Exp-Golomb): as many zeros as bits follow the first one.
    pub(super) fn golomb(&mut self) -> Option<u64> {
        let mut zeros = 0;
        while !self.flag()? {
            zeros += 1;
        }
        if zeros >= 32 {
            return Some(u64::from(u32::MAX));
        }
        Some((1 << zeros) - 1 + self.take(zeros)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_unknown_length_are_read() {
        // 1, 010, 011, 00100, and four bits over.
        let mut bits = Bits::new(&[0b1010_0110, 0b0100_1111]);
        let read: Vec<_> = (0..4).map(|_| bits.golomb()).collect();
        assert_eq!(read, [Some(0), Some(1), Some(2), Some(3)]);
        assert_eq!((bits.take(4), bits.take(1)), (Some(15), None));
        assert_eq!(Bits::new(&[0; 5]).golomb(), None);
    }
}
