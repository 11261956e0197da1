//! A shell script that uploads: for Flameshot, ksnip, Spectacle and whatever else can run one.

/// The script with its address and its token in it. Both come from us and hold no quotes; one that
/// did would be left out of the text.
pub fn upload_script(origin: &str, token: &str) -> String {
    let plain = |text: &str| text.replace(['\'', '\n', '\r'], "");
    SCRIPT.replace("@ORIGIN@", &plain(origin)).replace("@TOKEN@", &plain(token))
}

const SCRIPT: &str = r#"#!/bin/sh
# Uploads pictures, films and sound, prints their addresses and puts the last into the clipboard.
#
#   upload.sh FILE...             uploads files
#   flameshot gui -r | upload.sh  uploads what comes in
#
# Needs curl. Whoever has this file can upload in your name: keep it to yourself.
set -eu

origin='@ORIGIN@'
token='@TOKEN@'
# view, original, medium or thumb
link=${VITRINA_LINK:-view}

upload() {
    answer=$(curl --silent --show-error --header "Authorization: Bearer $token" \
        --form "file=@$1;filename=$2" --write-out '\n%{http_code}' "$origin/api/v2/media")
    status=${answer##*
}
    case $status in
        2??) ;;
        *)
            said=$(printf '%s' "$answer" | sed -n 's/.*"detail":"\([^"]*\)".*/\1/p')
            echo "$2: ${said:-refused with $status}" >&2
            exit 1
            ;;
    esac
    address=$(printf '%s' "$answer" | sed -n "s/.*\"$link\":\"\([^\"]*\)\".*/\1/p")
    echo "$address"
}

copy() {
    if [ -n "${WAYLAND_DISPLAY:-}" ] && command -v wl-copy > /dev/null; then
        printf '%s' "$1" | wl-copy
    elif [ -n "${DISPLAY:-}" ] && command -v xclip > /dev/null; then
        printf '%s' "$1" | xclip -selection clipboard > /dev/null 2>&1
    elif command -v pbcopy > /dev/null; then
        printf '%s' "$1" | pbcopy
    fi
}

address=
if [ $# -eq 0 ]; then
    upload - screenshot.png
else
    for file; do
        upload "$file" "$(basename "$file" | tr '";\\' '___')"
    done
fi
copy "$address"
"#;
