//! Dates as text, and as days.

use serde::{Deserialize, Serialize};

/// In which order a date is written. A time may follow, after a space or `T`: `14:30`, `14:30:15.5`, `2:30 pm`, with `Z` or `+02:00`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DateOrder {
    /// `2023-02-08`, `2023/2/8`, `20230208`; also `2023-02`, the first of the month.
    YearMonthDay,
    /// `8.2.2023`, `08/02/23`, `8 Feb 2023`.
    DayMonthYear,
    /// `2/8/2023`, `Feb 8, 2023`.
    MonthDayYear,
}

impl DateOrder {
    /// All orders.
    pub const ALL: [Self; 3] = [Self::YearMonthDay, Self::DayMonthYear, Self::MonthDayYear];

    /// As it is told to a person.
    pub(crate) fn shown(self) -> &'static str {
        match self {
            Self::YearMonthDay => "year-month-day",
            Self::DayMonthYear => "day.month.year",
            Self::MonthDayYear => "month/day/year",
        }
    }

    /// The days from 1970-01-01, with the time as a fraction, in UTC where the text tells the zone.
    ///
    /// ```
    /// use nn::data::DateOrder;
    /// assert_eq!(DateOrder::YearMonthDay.days("1970-01-02T12:00"), Some(1.5));
    /// assert_eq!(DateOrder::DayMonthYear.days("2.1.1970"), Some(1.0));
    /// assert_eq!(DateOrder::MonthDayYear.days("31/1/1970"), None);
    /// ```
    pub fn days(self, text: &str) -> Option<f64> {
        let (date, time) = match text.find(':') {
            Some(colon) => {
                let cut = text[..colon].rfind([' ', 'T', 't'])?;
                (&text[..cut], time_of(&text[cut + 1..])?)
            }
            None => (text.trim_end_matches(['Z', 'z']), 0.0),
        };
        let mut parts = [""; 3];
        let mut count = 0;
        for part in date.split(['-', '/', '.', ' ', ',']).filter(|part| !part.is_empty()) {
            *parts.get_mut(count)? = part;
            count += 1;
        }
        let (year, month, day) = match (self, count) {
            (Self::YearMonthDay, 1) if date.len() == 8 && date.bytes().all(|b| b.is_ascii_digit()) => {
                (&date[..4], &date[4..6], &date[6..])
            }
            (Self::YearMonthDay, 2) => (parts[0], parts[1], "1"),
            (Self::YearMonthDay, 3) => (parts[0], parts[1], parts[2]),
            (Self::DayMonthYear, 3) => (parts[2], parts[1], parts[0]),
            (Self::MonthDayYear, 3) => (parts[2], parts[0], parts[1]),
            _ => return None,
        };
        if date.starts_with(['-', '/', '.', ',']) || (self == Self::YearMonthDay && year.len() != 4) {
            return None;
        }
        Some(days_of(year_of(year)?, month_of(month)?, small(day)?)? as f64 + time)
    }
}

/// A number of one or two digits.
fn small(text: &str) -> Option<i64> {
    let digits = (1..=2).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
}

/// Of four digits, or of two: 1970 to 2069.
fn year_of(text: &str) -> Option<i64> {
    match text.len() {
        2 => small(text).map(|year| if year < 70 { 2000 + year } else { 1900 + year }),
        4 if text.bytes().all(|b| b.is_ascii_digit()) => text.parse().ok().filter(|&year| year > 0),
        _ => None,
    }
}

fn month_of(text: &str) -> Option<i64> {
    const NAMES: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        return small(text);
    }
    let name = text.to_ascii_lowercase();
    let month = NAMES.iter().position(|month| name.len() >= 3 && month.starts_with(&name))?;
    Some(month as i64 + 1)
}

/// The days of a date of the Gregorian calendar from 1970-01-01 (H. Hinnant, "chrono-compatible low-level date algorithms").
fn days_of(year: i64, month: i64, day: i64) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let lengths = [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let length = *lengths.get(usize::try_from(month - 1).ok()?)?;
    if !(1..=length).contains(&day) {
        return None;
    }
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
}

/// Year and month of a day, and the day in the year from 0.
pub(crate) fn civil(day: i64) -> (i64, i64, i64) {
    let shifted = day + 719_468;
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + i64::from(month <= 2);
    let first = days_of(year, 1, 1).unwrap_or(day);
    (year, month, day - first)
}

/// The share of a day, less the zone.
fn time_of(text: &str) -> Option<f64> {
    let lower = text.trim().to_ascii_lowercase();
    let (rest, zone) = match lower.rfind(['+', '-', 'z']) {
        Some(at) if lower[at..].starts_with('z') => (&lower[..at], 0.0),
        Some(at) => {
            let sign = if lower[at..].starts_with('-') { -1.0 } else { 1.0 };
            let digits: String = lower[at + 1..].chars().filter(|c| *c != ':').collect();
            let minutes = if digits.len() > 2 { small(&digits[2..])? } else { 0 };
            (&lower[..at], sign * (small(digits.get(..2)?)? * 60 + minutes) as f64 / 1440.0)
        }
        None => (&lower[..], 0.0),
    };
    let (rest, half) = match (rest.trim().strip_suffix("am"), rest.trim().strip_suffix("pm")) {
        (Some(rest), _) => (rest, Some(0)),
        (_, Some(rest)) => (rest, Some(12)),
        _ => (rest, None),
    };
    let mut fields = rest.trim().split(':');
    let (hour, minute) = (small(fields.next()?)?, small(fields.next()?)?);
    let second: f64 = match fields.next() {
        Some(text) if text.bytes().all(|b| b.is_ascii_digit() || b == b'.') => text.parse().ok()?,
        Some(_) => return None,
        None => 0.0,
    };
    let hour = match half {
        Some(_) if hour > 12 => return None,
        Some(add) => hour % 12 + add,
        None => hour,
    };
    let valid = fields.next().is_none() && hour <= 24 && minute < 60 && second < 61.0;
    valid.then(|| ((hour * 60 + minute) as f64 * 60.0 + second) / 86_400.0 - zone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_forms_are_read_and_others_are_not() {
        use DateOrder::{DayMonthYear, MonthDayYear, YearMonthDay};
        let day = 19_396.0; // 2023-02-08
        for (order, text, want) in [
            (YearMonthDay, "2023-02-08", Some(day)),
            (YearMonthDay, "20230208", Some(day)),
            (YearMonthDay, "2023/2/8", Some(day)),
            (YearMonthDay, "2023-02", Some(day - 7.0)),
            (YearMonthDay, "2023-02-08T06:00:00Z", Some(day + 0.25)),
            (YearMonthDay, "2023-02-08 06:00+06:00", Some(day)),
            (YearMonthDay, "2023-02-08 18:00:00.000-0600", Some(day + 1.0)),
            (DayMonthYear, "8.2.2023", Some(day)),
            (DayMonthYear, "08/02/23", Some(day)),
            (DayMonthYear, "8 Feb 2023", Some(day)),
            (DayMonthYear, "08-February-2023 12:00", Some(day + 0.5)),
            (MonthDayYear, "2/8/2023", Some(day)),
            (MonthDayYear, "Feb 8, 2023 6:00 pm", Some(day + 0.75)),
            (MonthDayYear, "2/8/2023 12:00 AM", Some(day)),
            (YearMonthDay, "2023-02-29", None),
            (YearMonthDay, "2024-02-29", Some(19_782.0)),
            (YearMonthDay, "2023-13-01", None),
            (DayMonthYear, "31.4.2023", None),
            (YearMonthDay, "192.168.1.1", None),
            (YearMonthDay, "F0001", None),
            (DayMonthYear, "Old town", None),
            (YearMonthDay, "", None),
            (YearMonthDay, "12:30", None),
            (MonthDayYear, "1/2/2023 25:00", None),
            (YearMonthDay, "2023-02-08 ä:00", None),
            (YearMonthDay, "äöü2023ä", None),
        ] {
            assert_eq!(order.days(text), want, "{text}");
        }
    }

    #[test]
    fn days_and_dates_are_each_others_inverse() {
        for day in (-200_000..200_000).step_by(37) {
            let (year, month, of_year) = civil(day);
            let first = days_of(year, month, 1).unwrap();
            assert!(day - first < 31 && first <= day, "{day}");
            assert_eq!(days_of(year, 1, 1).unwrap() + of_year, day);
        }
    }
}
