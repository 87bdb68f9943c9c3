//! Number to text, as ArduinoJson and Arduino's `Print` do it.

use std::format;
use std::string::String;
use std::vec;
use std::vec::Vec;

use super::JsonLibrary;

const UP: [f64; 9] = [1e1, 1e2, 1e4, 1e8, 1e16, 1e32, 1e64, 1e128, 1e256];
const DOWN: [f64; 9] = [1e-1, 1e-2, 1e-4, 1e-8, 1e-16, 1e-32, 1e-64, 1e-128, 1e-256];

/// A double in a JSON answer: nine significant decimals less the digits before the point, trailing zeros dropped,
/// exponent form from 1e7 up and 1e-5 down.
pub(in crate::emulator) fn number_text(value: f64, library: JsonLibrary) -> String {
    if !value.is_finite() {
        return "null".into();
    }
    // Version 7 keeps a double that fits single precision as such, and prints it shorter.
    let single = library == JsonLibrary::A7 && f64::from(value as f32) == value;
    let sign = if value < 0.0 { "-" } else { "" };
    let (mut value, mut exponent) = (value.abs(), 0_i32);
    if value >= 1e7 {
        for bit in (0..9).rev() {
            if value >= UP[bit] {
                value *= DOWN[bit];
                exponent += 1 << bit;
            }
        }
    } else if value > 0.0 && value <= 1e-5 {
        for bit in (0..9).rev() {
            if value < DOWN[bit] * 10.0 {
                value *= UP[bit];
                exponent -= 1 << bit;
            }
        }
    }
    let mut whole = value as u32;
    let mut places: usize = if single { 6 } else { 9 };
    let mut unit: u32 = 10_u32.pow(places as u32);
    let mut digits = whole;
    while digits >= 10 {
        unit /= 10;
        places -= 1;
        digits /= 10;
    }
    let rest = (value - f64::from(whole)) * f64::from(unit);
    let mut decimals = rest as u32;
    decimals += ((rest - f64::from(decimals)) * 2.0) as u32;
    if decimals >= unit {
        decimals = 0;
        whole += 1;
        if exponent != 0 && whole >= 10 {
            exponent += 1;
            whole = 1;
        }
    }
    while places > 0 && decimals.is_multiple_of(10) {
        decimals /= 10;
        places -= 1;
    }
    let mut text = format!("{sign}{whole}");
    if places > 0 {
        text += &format!(".{decimals:0places$}");
    }
    if exponent != 0 {
        text += &format!("e{exponent}");
    }
    text
}

/// A text in quotes. Bytes that are no control characters of JSON stay as they are, also broken UTF-8.
pub(in crate::emulator) fn quoted(text: &[u8]) -> Vec<u8> {
    let mut out = vec![b'"'];
    for &byte in text {
        let letter = match byte {
            b'"' | b'\\' => byte,
            8 => b'b',
            12 => b'f',
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            _ => {
                out.push(byte);
                continue;
            }
        };
        out.extend([b'\\', letter]);
    }
    out.push(b'"');
    out
}

/// `Serial.print(double)`: two decimals, half of the last one added, the rest cut off.
pub(in crate::emulator) fn two_decimals(value: f64) -> String {
    if value.is_nan() {
        return "nan".into();
    }
    if value.is_infinite() {
        return "inf".into();
    }
    if value.abs() > 4_294_967_040.0 {
        return "ovf".into();
    }
    let rounded = value.abs() + 0.005;
    let whole = rounded as u32;
    let mut rest = rounded - f64::from(whole);
    let mut text = format!("{}{whole}.", if value < 0.0 { "-" } else { "" });
    for _ in 0..2 {
        rest *= 10.0;
        let digit = rest as u32;
        text += &format!("{digit}");
        rest -= f64::from(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_the_reference() {
        let a6 = |value| number_text(value, JsonLibrary::A6);
        assert_eq!(a6(345.837_303), "345.837303");
        assert_eq!(a6(223.924_126_1), "223.9241261");
        assert_eq!(a6(-7.002_530_398e-15), "-7.002530398e-15");
        assert_eq!(a6(0.0), "0");
        assert_eq!(a6(-0.0), "0");
        assert_eq!(a6(9.999_999_999_9), "10");
        assert_eq!(a6(1e7), "1e7");
        assert_eq!(a6(f64::NAN), "null");
        assert_eq!(a6(2.220_446_049_250_313e-16), "2.220446049e-16");
        assert_eq!(number_text(2.220_446_049_250_313e-16, JsonLibrary::A7), "2.220446e-16");
        assert_eq!(two_decimals(-50.300_04), "-50.30");
        assert_eq!(two_decimals(0.999), "1.00");
    }
}
