//! The order of file names.

use std::cmp::Ordering;
use std::ffi::OsStr;

/// Names in the order in which people count: runs of digits compare by value, however long they are (a fragment number
/// has 47 digits), the rest byte by byte.
pub(super) fn by_number(a: &OsStr, b: &OsStr) -> Ordering {
    let (mut rest_a, mut rest_b) = (a.as_encoded_bytes(), b.as_encoded_bytes());
    loop {
        let ((number_a, after_a), (number_b, after_b)) = (leading_digits(rest_a), leading_digits(rest_b));
        if !number_a.is_empty() && !number_b.is_empty() {
            let order = compare_numbers(number_a, number_b);
            if order.is_ne() {
                return order;
            }
            (rest_a, rest_b) = (after_a, after_b);
            continue;
        }
        match (rest_a.split_first(), rest_b.split_first()) {
            (Some((byte_a, after_a)), Some((byte_b, after_b))) if byte_a == byte_b => {
                (rest_a, rest_b) = (after_a, after_b);
            }
            (Some((byte_a, _)), Some((byte_b, _))) => return byte_a.cmp(byte_b),
            // `1` and `01` are equal so far.
            (None, None) => return a.cmp(b),
            (a, b) => return a.is_some().cmp(&b.is_some()),
        }
    }
}

/// The digits at the front, and what follows them.
fn leading_digits(name: &[u8]) -> (&[u8], &[u8]) {
    let len = name.iter().take_while(|byte| byte.is_ascii_digit()).count();
    name.split_at_checked(len).unwrap_or((name, &[]))
}

/// Without leading zeros, the longer number is the larger, and equally long ones compare as text.
fn compare_numbers(a: &[u8], b: &[u8]) -> Ordering {
    let significant = |number: &[u8]| number.iter().skip_while(|&&digit| digit == b'0').copied().collect();
    let (a, b): (Vec<u8>, Vec<u8>) = (significant(a), significant(b));
    a.len().cmp(&b.len()).then_with(|| a.cmp(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_sort_as_people_count() {
        let sorted = [
            "1.mkv",
            "2.mkv",
            "02b.mkv",
            "10.mkv",
            "91343852333181432392682062607743920146264094899.mkv",
            "91343852333181432392682062607743920146264094900.mkv",
            "a",
            "a01",
            "a1",
            "a1b2",
            "a1b10",
            "b",
        ];
        for (i, a) in sorted.iter().enumerate() {
            for (j, b) in sorted.iter().enumerate() {
                let expected = i.cmp(&j);
                assert_eq!(by_number(OsStr::new(a), OsStr::new(b)), expected, "{a} {b}");
            }
        }
    }
}
