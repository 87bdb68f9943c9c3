//! Fields as the firmware asks for them.

use super::*;

fn document(text: &[u8]) -> Document {
    read_unchecked(text, JsonLibrary::A6)
}

#[test]
fn fields_as_strings() {
    let object =
        br#"{"text":"a\u0000b","number":1.50,"nested":{ "x" : [1, "q\"", true], "y":null },"none":null}"#;
    let document = document(object);
    assert_eq!(document.string("text"), b"a");
    assert_eq!(document.string("number"), b"1.5");
    assert_eq!(document.string("nested"), br#"{"x":[1,"q\"",true],"y":null}"#);
    assert_eq!((document.string("none"), document.string("missing")), (b"null".to_vec(), b"null".to_vec()));
    assert_eq!((document.c_string("text"), document.c_string("number")), (Some(b"a".to_vec()), None));
}

#[test]
fn fields_as_bool() {
    let object = br#"{"a":0.4,"b":0,"c":"0","d":"","e":null,"f":false,"g":true,"h":-1,"i":[]}"#;
    let document = document(object);
    let true_ones: std::string::String =
        "abcdefghij".chars().filter(|key| document.boolean(key.encode_utf8(&mut [0; 4]))).collect();
    assert_eq!(true_ones, "acdghi");
}

/// What a board of generation G1 makes of a request that is cut short.
#[test]
fn members_before_an_error_are_kept() {
    let document = document(br#"{"T":106,"cmd":2.5,"spd":"1"#);
    assert_eq!((document.code(), document.number("cmd"), document.word("spd")), (106, 2.5, 0));
    assert_eq!(read(br#"{"T":106,"cmd":2.5,"spd":"1"#, JsonLibrary::A6), None);
}

#[test]
fn a_bare_number_is_json_only_at_the_end() {
    assert!(read(b"105", JsonLibrary::A6).is_some());
    assert!(read(b"105\n", JsonLibrary::A6).is_none());
}
