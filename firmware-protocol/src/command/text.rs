//! Writes JSON text with integer arithmetic only.

/// Ten thousandths of a number, rounded half away from zero. The number is at most [`super::GoalAngles::MAX_ABS_RAD`].
pub(super) fn ten_thousandths(value: f64) -> i32 {
    (value * 1e4 + if value < 0.0 { -0.5 } else { 0.5 }) as i32
}

/// The number as it stands on the wire: rounded to 4 decimals. For magnitudes up to 200 000.
pub(crate) fn on_wire(value: f64) -> f64 {
    f64::from(ten_thousandths(value)) / 1e4
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

    /// `name` and a number below 10 with 4 decimals.
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

    /// `name` and a number of any size up to 200 000 with 4 decimals: degrees, millimetres.
    pub(crate) fn decimal(&mut self, name: &[u8], value: f64) {
        let value = ten_thousandths(value);
        let sign: &[u8] = if value < 0 { b"-" } else { b"" };
        self.literal(name);
        self.literal(sign);
        let value = value.unsigned_abs();
        self.integer(b"", value / 10_000);
        let digit = |power: u32| b'0' + (value / power % 10) as u8;
        self.literal(&[b'.', digit(1000), digit(100), digit(10), digit(1)]);
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

    /// `name` and a whole number with its sign.
    pub(crate) fn signed(&mut self, name: &[u8], value: i32) {
        self.literal(name);
        self.integer(if value < 0 { b"-" } else { b"" }, value.unsigned_abs());
    }

    /// A text between quotes. It holds no control characters, so two characters need a backslash.
    pub(crate) fn quoted(&mut self, text: &str) {
        self.literal(b"\"");
        let mut rest = text.as_bytes();
        while let Some(place) = rest.iter().position(|byte| matches!(byte, b'"' | b'\\')) {
            let (plain, special) = rest.split_at(place);
            self.literal(plain);
            self.literal(b"\\");
            self.literal(&special[..1]);
            rest = &special[1..];
        }
        self.literal(rest);
        self.literal(b"\"");
    }

    pub(crate) const fn length(&self) -> usize {
        self.length
    }

    pub(crate) fn finish(self) -> &'b [u8] {
        &self.buffer[..self.length]
    }
}
