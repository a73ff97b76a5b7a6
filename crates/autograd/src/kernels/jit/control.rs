//! Instructions that are not on vectors: where code begins and ends, its pointers and its loops.

use super::encode::{Assembler, General};

impl Assembler {
    /// Where an indirect call may land.
    pub(super) fn entry(&mut self) {
        self.bytes.extend([0xF3, 0x0F, 0x1E, 0xFA]);
    }

    pub(super) fn push(&mut self, General(r): General) {
        self.bytes.extend([0x40 | r >> 3, 0x50 | r & 7]);
    }

    pub(super) fn pop(&mut self, General(r): General) {
        self.bytes.extend([0x40 | r >> 3, 0x58 | r & 7]);
    }

    /// `to = from`
    pub(super) fn copy(&mut self, to: General, from: General) {
        self.bytes.extend([0x48 | from.0 >> 3 << 2 | to.0 >> 3, 0x89, 0xC0 | (from.0 & 7) << 3 | to.0 & 7]);
    }

    /// `to = table[k]`, of pointers that a register points to.
    pub(super) fn pointer(&mut self, to: General, table: General, k: usize) {
        self.bytes.extend([0x48 | to.0 >> 3 << 2, 0x8B, 0x80 | (to.0 & 7) << 3 | table.0 & 7]);
        self.bytes.extend((8 * k as i32).to_le_bytes());
    }

    /// RDX becomes how far RAX may be for as many vectors abreast as there are before RCX.
    pub(super) fn limit(&mut self) {
        self.bytes.extend([0x48, 0x8D, 0x91]);
        let others = i32::from(self.abreast - 1) * self.set.bytes() as i32;
        self.bytes.extend((-others).to_le_bytes());
    }

    /// Jumps ahead where RAX is not less than a register; returns from where.
    pub(super) fn skip(&mut self, unless_below: General) -> usize {
        self.compare_with(unless_below);
        self.bytes.extend([0x0F, 0x8D, 0, 0, 0, 0]);
        self.bytes.len()
    }

    /// A jump ahead lands here.
    pub(super) fn land(&mut self, from: usize) {
        let distance = self.bytes.len() as i32 - from as i32;
        self.bytes[from - 4..from].copy_from_slice(&distance.to_le_bytes());
    }

    /// RAX goes on by the vectors abreast, and all from an instruction on is done again while it is less than a register.
    pub(super) fn again(&mut self, from: usize, below: General) {
        self.bytes.extend([0x48, 0x05]);
        self.bytes.extend((i32::from(self.abreast) * self.set.bytes() as i32).to_le_bytes());
        self.compare_with(below);
        self.bytes.extend([0x0F, 0x8C]);
        let distance = from as i32 - (self.bytes.len() as i32 + 4);
        self.bytes.extend(distance.to_le_bytes());
    }

    /// Compares RAX with one of the first eight registers.
    fn compare_with(&mut self, General(r): General) {
        self.bytes.extend([0x48, 0x39, 0xC0 | r << 3]);
    }

    pub(super) fn leave(&mut self) {
        // VZEROUPPER, RET
        self.bytes.extend([0xC5, 0xF8, 0x77, 0xC3]);
    }

    /// The next instruction starts where a multiple of so many bytes does: long ones that do nothing stand before it.
    pub(super) fn align(&mut self, to: usize) {
        const NOTHING: [u8; 9] = [0x66, 0x0F, 0x1F, 0x84, 0, 0, 0, 0, 0];
        let mut missing = self.bytes.len().next_multiple_of(to) - self.bytes.len();
        while missing >= NOTHING.len() {
            self.bytes.extend(NOTHING);
            missing -= NOTHING.len();
        }
        self.bytes.extend(std::iter::repeat_n(0x90, missing));
    }
}
