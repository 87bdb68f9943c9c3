//! Pieces of a record as values of the board.

use firmware_protocol::FeedbackMode;
use firmware_protocol::emulator::ServoWrite;
use serde_json::Value;

/// Strings of the records are bytes: one character each.
pub(super) fn bytes(value: &Value) -> Result<Vec<u8>, String> {
    let text = value.as_str().unwrap_or_default();
    let byte = |character| u8::try_from(u32::from(character)).map_err(|_| format!("no byte: {character:?}"));
    text.chars().map(byte).collect()
}

/// A whole number of any width.
pub(super) fn number<T: TryFrom<i64>>(record: &Value, key: &str) -> Result<T, String> {
    let value = record[key].as_i64().and_then(|value| T::try_from(value).ok());
    value.ok_or_else(|| format!("`{key}` is {} in {record}", record[key]))
}

/// One value a servo, ids 11..=17; `None` if the key is missing.
pub(super) fn seven<T: TryFrom<i64>>(value: &Value) -> Result<Option<[T; 7]>, String> {
    let Some(values) = value.as_array() else { return Ok(None) };
    let numbers = values.iter().map(|value| value.as_i64().and_then(|value| T::try_from(value).ok()));
    let numbers: Option<Vec<T>> = numbers.collect();
    let seven = numbers.and_then(|numbers| <[T; 7]>::try_from(numbers).ok());
    seven.map(Some).ok_or_else(|| format!("not seven numbers in range: {value}"))
}

/// Which servos a list of ids names; `None` if the key is missing.
pub(super) fn servos(value: &Value) -> Option<[bool; 7]> {
    let ids = value.as_array()?;
    Some(core::array::from_fn(|place| ids.iter().any(|id| id.as_u64() == Some(place as u64 + 11))))
}

/// The value of the firmware's feedback mode.
pub(super) fn feedback_mode(value: &Value) -> Result<FeedbackMode, String> {
    match value.as_u64() {
        Some(0) => Ok(FeedbackMode::Quiet),
        Some(1) => Ok(FeedbackMode::Debug),
        Some(2) => Ok(FeedbackMode::Stream),
        _ => Err(format!("no feedback mode: {value}")),
    }
}

/// An entry of the log of servo calls.
pub(super) enum Entry {
    /// A write, ms after the start of the step.
    Write(u64, ServoWrite),
    /// So many writes are left out.
    Skipped(usize),
    /// Not on the servo bus: 12 V outputs, chip functions.
    Elsewhere,
}

/// Reads an entry.
pub(super) fn entry(entry: &Value) -> Result<Entry, String> {
    let id = || number(entry, "id");
    let write = match entry["f"].as_str().unwrap_or_default() {
        "SyncWritePosEx" => {
            let missing = || format!("incomplete: {entry}");
            ServoWrite::All {
                goals: seven(&entry["pos"])?.ok_or_else(missing)?,
                speeds: seven(&entry["spd"])?.ok_or_else(missing)?,
                accelerations: seven(&entry["acc"])?.ok_or_else(missing)?,
            }
        }
        "WritePosEx" => ServoWrite::One {
            id: id()?,
            goal: number(entry, "pos")?,
            speed: number(entry, "spd")?,
            acceleration: number(entry, "acc")?,
        },
        "EnableTorque" => ServoWrite::Torque { id: id()?, value: number(entry, "v")? },
        "CalibrationOfs" => ServoWrite::Middle { id: id()? },
        "unLockEprom" => ServoWrite::Register { id: id()?, address: 55, value: 0 },
        "LockEprom" => ServoWrite::Register { id: id()?, address: 55, value: 1 },
        "writeByte" | "writeWord" => {
            ServoWrite::Register { id: id()?, address: number(entry, "addr")?, value: number(entry, "v")? }
        }
        "..." => return Ok(Entry::Skipped(number(entry, "skipped")?)),
        "digitalWrite" | "ledcWrite" | "nvs_flash_erase" | "esp_restart" => return Ok(Entry::Elsewhere),
        other => return Err(format!("unknown call {other:?}")),
    };
    Ok(Entry::Write(number(entry, "ms")?, write))
}
