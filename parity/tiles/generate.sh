#!/usr/bin/env bash
# What AMX computes, by Bochs: the fixture of crates/simd/tests/tiles.rs.
#
#     parity/tiles/generate.sh BOCHS     # the folder of Bochs' sources, built as below
#
# Bochs 3.0 is a processor in software. Its sources are at github.com/bochs-emu/Bochs; build them by
#     ./configure --enable-x86-64 --enable-avx --enable-evex --enable-amx --with-nogui --disable-docbook && make
# GRUB (`grub-mkrescue`, with grub-pc-bin, xorriso and mtools) starts main.rs on it, without a system. That program runs
# the very functions of `wellfit_simd::tiles::Amx` and prints the bits.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd) bochs=$(cd "$1" && pwd)
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT
cp "$here"/{main.rs,link.ld} "$work" && cd "$work"
python3 "$here/operands.py" > operands.bin
# The sources of the unit, less what asks the system for it.
tiles=$here/../../crates/simd/src/tiles
sed -e '/^\/\/!/d; s/std::/core::/g' "$tiles/unit.rs" > unit.rs
sed -e '/^\/\/!/d; /^use std::sync/d; /^impl Amx {/,/^}/d; /^\/\/\/ CPUID, leaf 7/,/^\/\/ SAFETY of the instructions/d' \
    -e 's/std::/core::/g; s/super::unit/crate::unit/' "$tiles/amx.rs" > amx.rs
rustc --edition 2024 -O -C panic=abort -C relocation-model=static -C link-arg=-nostdlib -C link-arg=-static \
    -C link-arg=-no-pie -C link-arg=-Wl,-Tlink.ld,--build-id=none -A dead_code -o kernel.elf main.rs
mkdir -p disc/boot/grub && cp kernel.elf disc/boot
echo 'set timeout=0
menuentry tiles { multiboot /boot/kernel.elf }' > disc/boot/grub/grub.cfg
grub-mkrescue -o disc.iso disc 2> /dev/null
cat > bochsrc <<END
romimage: file=$bochs/bios/BIOS-bochs-latest
vgaromimage: file=$bochs/bios/VGABIOS-lgpl/VGABIOS-lgpl-latest.bin
cpu: model=sapphire_rapids
megs: 64
display_library: nogui
ata0-master: type=cdrom, path=$work/disc.iso, status=inserted
boot: cdrom
com1: enabled=1, mode=file, dev=$work/serial.txt
log: $work/bochs.log
END
"$bochs/bochs" -q -f bochsrc > bochs.txt 2>&1 &
for _ in $(seq 120); do
    sleep 1
    grep -qs END serial.txt && break
done
kill $!
python3 "$here/operands.py" serial.txt > "$here/../../crates/simd/tests/fixtures/tiles.bin"
