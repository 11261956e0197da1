# What the scripts in this folder share: a running appliance and a picture to give it. Sourced.
# shellcheck shell=bash

# start_server COMMAND...   Runs the command, which is `vitrina` or leads to it, as a server on
# free ports. Sets PUBLIC and OPERATOR to its addresses and stops it when the script ends.
# The data directory is DATA, as the command sees it; the log is SERVER_LOG.
start_server() {
    SERVER_LOG=$(mktemp)
    "$@" serve --listen 127.0.0.1:0 --operator-listen 127.0.0.1:0 --data "$DATA" \
        > "$SERVER_LOG" 2>&1 &
    SERVER=$!
    trap stop_server EXIT
    local _
    for _ in $(seq 100); do
        PUBLIC=$(sed -n 's/^listening on \(http:[^ ]*\) (public)$/\1/p' "$SERVER_LOG")
        OPERATOR=$(sed -n 's/^listening on \(http:[^ ]*\) (operator)$/\1/p' "$SERVER_LOG")
        if [[ $PUBLIC && $OPERATOR ]]; then return; fi
        kill -0 "$SERVER" 2> /dev/null || break
        sleep 0.1
    done
    echo "the server did not start:"
    cat "$SERVER_LOG"
    return 1
}

# Ends the server politely. It must then end well, which is a test of its own.
stop_server() {
    local outcome=$?
    trap - EXIT
    kill -TERM "$SERVER" 2> /dev/null || true
    if ! wait "$SERVER" || ((outcome != 0)); then
        echo "the server's log:"
        tail -n 50 "$SERVER_LOG"
        ((outcome != 0)) || outcome=1
    fi
    rm -f "$SERVER_LOG"
    exit "$outcome"
}

# make_admin COMMAND...   Creates the first person through the command line, beside the running
# server. Sets PASSWORD, and TOKEN to an API token.
make_admin() {
    PASSWORD="a long enough passphrase"
    printf '%s' "$PASSWORD" | "$@" user create --tenant main --role admin --username ana \
        --email ana@example.org --password-stdin --data "$DATA"
    TOKEN=$("$@" token create --tenant main --user ana --data "$DATA")
    [[ $TOKEN ]]
}

# make_picture FILE [SEED]   A small picture, of other content for every seed: a PNG of a gradient
# with noise.
make_picture() {
    python3 - "$1" "${2:-1}" <<'PYTHON'
import random, struct, sys, zlib

path, seed = sys.argv[1], int(sys.argv[2])
width, height = 640, 480
noise = random.Random(seed)
rows = b"".join(
    b"\0" + b"".join(
        bytes((x * 255 // width, y * 255 // height, noise.randrange(64))) for x in range(width)
    )
    for y in range(height)
)

def chunk(kind, body):
    checksum = zlib.crc32(kind + body)
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", checksum)

with open(path, "wb") as file:
    file.write(b"\x89PNG\r\n\x1a\n")
    file.write(chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)))
    file.write(chunk(b"IDAT", zlib.compress(rows)))
    file.write(chunk(b"IEND", b""))
PYTHON
}
