//! Text to number, as ArduinoJson does it: digits into a whole number, then times binary powers of ten.

use super::JsonLibrary;

/// A number as the library keeps it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Number {
    Unsigned(u64),
    Negative(i64),
    Real(f64),
}

const MANTISSA_MAX: u64 = (1 << 52) - 1;
const SINGLE_MANTISSA_MAX: u64 = (1 << 23) - 1;
const UP: [f64; 9] = [1e1, 1e2, 1e4, 1e8, 1e16, 1e32, 1e64, 1e128, 1e256];
const DOWN: [f64; 9] = [1e-1, 1e-2, 1e-4, 1e-8, 1e-16, 1e-32, 1e-64, 1e-128, 1e-256];
const UP_SINGLE: [f32; 6] = [1e1, 1e2, 1e4, 1e8, 1e16, 1e32];
const DOWN_SINGLE: [f32; 6] = [1e-1, 1e-2, 1e-4, 1e-8, 1e-16, 1e-32];

/// Reads a text that must be a number from end to end; `None` otherwise.
pub(super) fn number(text: &[u8], library: JsonLibrary) -> Option<Number> {
    let (negative, mut rest) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    if !matches!(rest.first(), Some(b'0'..=b'9' | b'.')) {
        return None;
    }
    let digit =
        |rest: &[u8]| rest.first().filter(|byte| byte.is_ascii_digit()).map(|byte| u64::from(byte - b'0'));
    let mut mantissa = 0_u64;
    while let Some(next) = digit(rest) {
        // The library multiplies first and looks afterwards, so a number just too large keeps the product.
        if mantissa > u64::MAX / 10 {
            break;
        }
        mantissa *= 10;
        if mantissa > u64::MAX - next {
            break;
        }
        mantissa += next;
        rest = &rest[1..];
    }
    if rest.is_empty() {
        if !negative {
            return Some(Number::Unsigned(mantissa));
        }
        if mantissa <= 1 << 63 {
            return Some(Number::Negative((mantissa as i64).wrapping_neg()));
        }
    }
    let mut exponent = 0_i32;
    while mantissa > MANTISSA_MAX {
        mantissa /= 10;
        exponent += 1;
    }
    while digit(rest).is_some() {
        exponent += 1;
        rest = &rest[1..];
    }
    if let [b'.', fraction @ ..] = rest {
        rest = fraction;
        while let Some(next) = digit(rest) {
            if mantissa < MANTISSA_MAX / 10 {
                mantissa = mantissa * 10 + next;
                exponent -= 1;
            }
            rest = &rest[1..];
        }
    }
    let sign = if negative { -1.0 } else { 1.0 };
    if let [b'e' | b'E', after @ ..] = rest {
        let (down, mut after) = match after {
            [b'-', after @ ..] => (true, after),
            [b'+', after @ ..] => (false, after),
            _ => (false, after),
        };
        let mut stated = 0_i32;
        while let Some(next) = digit(after) {
            stated = stated * 10 + next as i32;
            if stated + exponent > 308 {
                return Some(Number::Real(sign * if down { 0.0 } else { f64::INFINITY }));
            }
            after = &after[1..];
        }
        exponent += if down { -stated } else { stated };
        rest = after;
    }
    if !rest.is_empty() {
        return None;
    }
    let single =
        library == JsonLibrary::A7 && mantissa <= SINGLE_MANTISSA_MAX && exponent.unsigned_abs() <= 38;
    let value = if single {
        f64::from(scaled_single(mantissa as f32, exponent))
    } else {
        scaled(mantissa as f64, exponent)
    };
    Some(Number::Real(sign * value))
}

fn scaled(mut value: f64, exponent: i32) -> f64 {
    for (bit, power) in (if exponent > 0 { UP } else { DOWN }).into_iter().enumerate() {
        if exponent.unsigned_abs() >> bit & 1 == 1 {
            value *= power;
        }
    }
    if exponent.unsigned_abs() >= 512 { value * 0.0 } else { value }
}

fn scaled_single(mut value: f32, exponent: i32) -> f32 {
    for (bit, power) in (if exponent > 0 { UP_SINGLE } else { DOWN_SINGLE }).into_iter().enumerate() {
        if exponent.unsigned_abs() >> bit & 1 == 1 {
            value *= power;
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Generation, Joint, steps};

    /// The vendor's firmware, trace t0-0010: the same command ends one step apart on the two libraries.
    #[test]
    fn version_7_reads_short_decimals_in_single_precision() {
        let elbow = |library| match number(b"1.040806", library) {
            Some(Number::Real(angle_rad)) => steps::goal(Generation::G1, Joint::Elbow, angle_rad),
            other => unreachable!("{other:?}"),
        };
        assert_eq!((elbow(JsonLibrary::A6), elbow(JsonLibrary::A7)), (1703, 1702));
    }

    #[test]
    fn odd_numbers_that_the_board_takes() {
        let a6 = |text: &[u8]| number(text, JsonLibrary::A6);
        assert_eq!(a6(b"+105"), Some(Number::Unsigned(105)));
        assert_eq!(a6(b"0105"), Some(Number::Unsigned(105)));
        assert_eq!(a6(b"-9223372036854775808"), Some(Number::Negative(i64::MIN)));
        assert_eq!(a6(b".5"), Some(Number::Real(0.5)));
        assert_eq!(a6(b"105."), Some(Number::Real(105.0)));
        assert_eq!(a6(b"1e"), Some(Number::Real(1.0)));
        assert_eq!(a6(b"1e400"), Some(Number::Real(f64::INFINITY)));
        assert_eq!(a6(b"1e-400"), Some(Number::Real(0.0)));
        for refused in [&b""[..], b"-", b"e5", b"1-2", b"1.2.3", b"--1"] {
            assert_eq!(a6(refused), None);
        }
    }
}
