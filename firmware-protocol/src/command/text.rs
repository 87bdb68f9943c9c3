//! Writes JSON text with integer arithmetic only.

/// Ten thousandths of a number, rounded half away from zero. The number is at most [`super::GoalAngles::MAX_ABS_RAD`].
pub(super) fn ten_thousandths(value: f64) -> i32 {
    (value * 1e4 + if value < 0.0 { -0.5 } else { 0.5 }) as i32
}

/// Text being written into a caller's buffer. What does not fit is left out; that the longest command fits is tested.
pub(crate) struct Text<'b> {
    buffer: &'b mut [u8],
    length: usize,
}

impl<'b> Text<'b> {
    pub(crate) fn new(buffer: &'b mut [u8]) -> Self {
        Self { buffer, length: 0 }
    }

    pub(crate) fn literal(&mut self, bytes: &[u8]) {
        if let Some(room) = self.buffer.get_mut(self.length..self.length + bytes.len()) {
            room.copy_from_slice(bytes);
            self.length += bytes.len();
        }
    }

    /// `name` and a number with 4 decimals.
    pub(crate) fn angle(&mut self, name: &[u8], angle_rad: f64) {
        self.literal(name);
        let value = ten_thousandths(angle_rad);
        if value < 0 {
            self.literal(b"-");
        }
        let value = value.unsigned_abs();
        let digit = |power: u32| b'0' + (value / power % 10) as u8;
        self.literal(&[digit(10_000), b'.', digit(1000), digit(100), digit(10), digit(1)]);
    }

    /// `name` and a whole number.
    pub(crate) fn integer(&mut self, name: &[u8], value: u32) {
        self.literal(name);
        let mut digits = [0; 10];
        let (mut rest, mut start) = (value, digits.len());
        loop {
            start -= 1;
            digits[start] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        self.literal(&digits[start..]);
    }

    pub(crate) fn finish(self) -> &'b [u8] {
        &self.buffer[..self.length]
    }
}
