# What every static build needs. Sourced; sets `host` and RUSTFLAGS.
# shellcheck shell=bash
#
# Naming the target keeps the flags away from build scripts and procedural macros, which cannot be
# linked statically. The crate getrandom looks the system call of its name up at run time, finds
# nothing in a static file, and would fall back to /dev/urandom, which a bare root does not have.
host=$(rustc -vV | sed -n 's/^host: //p')
export RUSTFLAGS="-C target-feature=+crt-static --cfg getrandom_backend=\"linux_getrandom\""
