//! Calendar days in UTC, without a library: a day is all that the command line names.

/// Seconds in a day.
pub const DAY: i64 = 86_400;

/// Days from 1 January 1970 to a day of the Gregorian calendar, counted in years that start in March, so that a leap day comes last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    365 * year + leap_days + (153 * month + 2) / 5 + day - 719_469
}

/// Unix seconds at which the day `YYYY-MM-DD` starts.
///
/// # Errors
/// Text that is no day from 1970 on.
pub fn parse(text: &str) -> Result<i64, String> {
    let error = || format!("{text:?} is not a day as YYYY-MM-DD");
    let shape = text.len() == 10 && text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    let parts: Vec<i64> = text.split('-').filter_map(|part| part.parse().ok()).collect();
    match parts[..] {
        [year, month, day] if shape && year >= 1970 => {
            let time = days(year, month, day) * DAY;
            // A day that does not exist, as 30 February, would be written otherwise.
            (format(time).get(..10) == Some(text)).then_some(time).ok_or_else(error)
        }
        _ => Err(error()),
    }
}

/// `YYYY-MM-DD hh:mm:ss` of unix seconds.
pub fn format(time: i64) -> String {
    let (day, second) = (time.div_euclid(DAY), time.rem_euclid(DAY));
    let mut year = 1970 + day.div_euclid(366);
    while days(year + 1, 1, 1) <= day {
        year += 1;
    }
    let month = (1..=12).rev().find(|m| days(year, *m, 1) <= day).unwrap_or(1);
    let date = day - days(year, month, 1) + 1;
    format!(
        "{year:04}-{month:02}-{date:02} {:02}:{:02}:{:02}",
        second / 3_600,
        second / 60 % 60,
        second % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_of_the_calendar() {
        // `date -u -d DAY +%s`
        let known = [
            ("1970-01-01", 0),
            ("2000-02-29", 951_782_400),
            ("2020-03-12", 1_583_971_200),
            ("2020-12-31", 1_609_372_800),
            ("2100-03-01", 4_107_542_400),
        ];
        for (text, time) in known {
            assert_eq!(parse(text), Ok(time));
            assert_eq!(format(time + 3_661), format!("{text} 01:01:01"));
        }
    }

    #[test]
    fn every_day_is_read_back() {
        for day in 0..60_000 {
            assert_eq!(parse(&format(day * DAY)[..10]), Ok(day * DAY));
        }
    }

    #[test]
    fn refuses_what_is_no_day() {
        for text in [
            "",
            "2020-3-12",
            "12-03-2020",
            "2020-13-01",
            "2020-00-10",
            "2021-02-29",
            "2020-02-30",
            "2020-03-12T00",
            "1969-12-31",
            "+020-03-12",
            "2020--1-12",
        ] {
            assert!(parse(text).is_err(), "{text:?}");
        }
    }
}
