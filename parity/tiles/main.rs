//! Products of tiles on a processor without a system: GRUB loads this, and the serial port gets the bits (`generate.sh`).
#![no_std]
#![no_main]

use amx::Amx;
use core::arch::{asm, global_asm};
use unit::{SIDE, TILE, TileUnit};

mod amx {
    include!("amx.rs");
}
mod unit {
    include!("unit.rs");
}

// From 32 bits to 64, with the first GiB of memory at its own addresses; then AVX-512 and the tiles are switched on (XCR0).
global_asm!(
    r#"
.section .multiboot, "a"
.align 4
.long 0x1BADB002, 0, -0x1BADB002
.section .text.boot, "ax"
.code32
.global _start
_start:
    lea esp, [stack_top]
    lea eax, [table3]
    or eax, 3
    mov [table4], eax
    lea eax, [table2]
    or eax, 3
    mov [table3], eax
    xor ecx, ecx
2:
    mov eax, ecx
    shl eax, 21
    or eax, 0x83
    mov [table2 + ecx * 8], eax
    inc ecx
    cmp ecx, 512
    jne 2b
    lea eax, [table4]
    mov cr3, eax
    mov eax, cr4
    or eax, 0x40620
    mov cr4, eax
    mov ecx, 0xC0000080
    rdmsr
    or eax, 0x100
    wrmsr
    mov eax, cr0
    and eax, 0xfffffffb
    or eax, 0x80000003
    mov cr0, eax
    lgdt [descriptors]
    .byte 0xea
    .long in_64_bits
    .word 8
.code64
in_64_bits:
    mov ax, 16
    mov ds, ax
    mov es, ax
    mov ss, ax
    xor ecx, ecx
    xgetbv
    or eax, 0x600e7
    xsetbv
    lea rsp, [stack_top]
    call tiles
3:
    hlt
    jmp 3b
.align 16
segments:
    .quad 0, 0x00af9a000000ffff, 0x00cf92000000ffff
descriptors:
    .word 23
    .long segments
.section .bss
.align 4096
table4: .skip 4096
table3: .skip 4096
table2: .skip 4096
    .skip 1048576
stack_top:
"#
);

static OPERANDS: &[u8] = include_bytes!("operands.bin");

/// Bytes of a tile.
const BYTES: usize = 4 * TILE;
/// Floats from one row of a result to the next: rows do not touch.
const WIDTH: usize = SIDE + 3;

/// Send a byte to the first serial port.
fn send(byte: u8) {
    let mut status = 0u8;
    while status & 0x20 == 0 {
        unsafe { asm!("in al, dx", in("dx") 0x3fdu16, out("al") status) }
    }
    unsafe { asm!("out dx, al", in("dx") 0x3f8u16, in("al") byte) }
}

#[unsafe(no_mangle)]
#[target_feature(enable = "avx512f")]
unsafe extern "C" fn tiles() {
    // Eight bits a byte.
    unsafe { asm!("out dx, al", in("dx") 0x3fbu16, in("al") 3u8) }
    for case in OPERANDS.chunks_exact(3 * BYTES) {
        let (operands, mut sums) = (case.as_ptr(), [0.0f32; WIDTH * SIDE]);
        unsafe {
            let mut unit = Amx::start();
            // What was in the tile of sums is gone.
            unit.load::<2>(operands, 64);
            unit.zero::<2>();
            unit.load::<5>(operands, 64);
            unit.load::<7>(operands.add(BYTES), 64);
            unit.load::<2>(operands.add(2 * BYTES), 64);
            unit.multiply_add::<2, 5, 7>();
            // The last row first.
            let (last, stride) = (4 * WIDTH * (SIDE - 1), 4 * WIDTH as isize);
            unit.store::<2>(sums.as_mut_ptr().cast::<u8>().add(last), -stride);
        }
        for row in (0..SIDE).rev() {
            for sum in &sums[row * WIDTH..][..SIDE] {
                for digit in (0..8).rev() {
                    send(b"0123456789abcdef"[(sum.to_bits() >> (4 * digit) & 15) as usize]);
                }
                send(b' ');
            }
        }
        send(b'\n');
    }
    b"END\n".iter().for_each(|&byte| send(byte));
}

#[unsafe(no_mangle)]
unsafe extern "C" fn memset(to: *mut u8, byte: i32, count: usize) -> *mut u8 {
    (0..count).for_each(|i| unsafe { to.add(i).write_volatile(byte as u8) });
    to
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    loop {}
}
