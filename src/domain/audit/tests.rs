use super::*;

/// A trail of so many rows.
fn trail(rows: i64) -> Vec<AuditRow> {
    let mut trail: Vec<AuditRow> = Vec::new();
    for place in 1..=rows {
        let previous = trail.last().map_or(BEFORE_THE_FIRST, |row| row.hash);
        let body = Body::default().text("logout", format!("L{place}")).number("attempts", place);
        trail.push(AuditRow::next(place, UnixMillis(1000 + place), "posted", written(&body), previous));
    }
    trail
}

fn written(body: &Body) -> String {
    body.write(&|[issuer, name]| format!("hash of {} and {}", issuer.len(), name.len()))
}

/// The same rows from there on with hashes that fit, as somebody with the database could write them.
fn rewritten(trail: &[AuditRow], from: usize, body: &str) -> Vec<AuditRow> {
    let mut anew = trail.to_vec();
    anew[from].body = body.to_owned();
    for place in from..anew.len() {
        let previous = place.checked_sub(1).map_or(BEFORE_THE_FIRST, |before| anew[before].hash);
        let AuditRow { place: own, at, kind, body, .. } = anew[place].clone();
        anew[place] = AuditRow::next(own, at, &kind, body, previous);
    }
    anew
}

fn noted(row: &AuditRow) -> NotedHead {
    NotedHead { place: row.place, hash: row.hash }
}

fn check(trail: &[AuditRow], head: Option<NotedHead>) -> Result<Verified, Broken> {
    let mut check = TrailCheck::with(head);
    trail.iter().try_for_each(|row| check.take(row))?;
    check.end(true)
}

#[track_caller]
fn is_found(trail: &[AuditRow], head: Option<NotedHead>, place: i64, fault: &Fault) {
    assert_eq!(check(trail, head), Err(Broken { place, fault: fault.clone() }));
}

#[test]
fn a_whole_trail_says_how_long_it_is_and_where_it_ends() {
    let rows = trail(9);
    let whole = check(&rows, Some(noted(&rows[4]))).unwrap();
    assert_eq!((whole.rows, whole.first, whole.head, whole.has_beginning), (9, 1, noted(&rows[8]), true));
    let none = check(&[], None).unwrap();
    assert_eq!((none.rows, none.first, none.head.place), (0, 0, 0));
}

#[test]
fn a_changed_row_is_found_whatever_of_it_was_changed() {
    let rows = trail(9);
    let changes: [fn(&mut AuditRow); 4] = [
        |row| row.body.push(' '),
        |row| row.at = UnixMillis(0),
        |row| "told".clone_into(&mut row.kind),
        |row| row.previous[0] ^= 1,
    ];
    for change in changes {
        let mut rows = rows.clone();
        change(&mut rows[4]);
        is_found(&rows, None, 5, &Fault::Changed);
    }
    let mut rows = rows.clone();
    rows[4].kind = "posted\n{}".to_owned();
    is_found(&rows, None, 5, &Fault::Kind);
}

#[test]
fn a_changed_row_with_a_hash_of_its_own_no_longer_fits_the_next() {
    let rows = trail(9);
    let mut changed = rows.clone();
    changed[4] = rewritten(&rows, 4, "{}")[4].clone();
    is_found(&changed, None, 6, &Fault::Unchained);
    let mut first = rows;
    first[0] = AuditRow::next(1, UnixMillis(0), "posted", "{}".to_owned(), [7; 32]);
    is_found(&first, None, 1, &Fault::Unchained);
}

#[test]
fn rows_that_were_taken_out_put_in_or_swapped_are_found() {
    let rows = trail(9);
    let mut removed = rows.clone();
    removed.remove(4);
    is_found(&removed, None, 5, &Fault::Missing { next: 6 });

    let mut inserted = rows.clone();
    inserted.insert(5, AuditRow::next(5, UnixMillis(0), "told", "{}".to_owned(), rows[4].hash));
    is_found(&inserted, None, 5, &Fault::OutOfOrder { last: 5 });

    let mut swapped = rows.clone();
    swapped.swap(4, 5);
    is_found(&swapped, None, 5, &Fault::Missing { next: 6 });
    let mut bodies = rows.clone();
    (bodies[4].body, bodies[5].body) = (rows[5].body.clone(), rows[4].body.clone());
    is_found(&bodies, None, 5, &Fault::Changed);

    is_found(&rows[3..], None, 4, &Fault::NoBeginning);
    is_found(&[AuditRow { place: 0, ..rows[0].clone() }], None, 0, &Fault::NoPlace);
}

#[test]
fn only_a_noted_head_tells_of_a_cut_tail_or_of_a_chain_that_was_written_anew() {
    let rows = trail(9);
    let head = Some(noted(&rows[7]));
    assert!(check(&rows[..6], None).is_ok(), "nothing in the rows themselves says so");
    is_found(&rows[..6], head, 8, &Fault::HeadGone { last: 6 });
    let anew = rewritten(&rows, 2, "{\"logout\":\"another\"}");
    assert!(check(&anew, None).is_ok(), "nothing in the rows themselves says so");
    is_found(&anew, head, 8, &Fault::HeadChanged { now: anew[7].hash });
    assert!(check(&rows, head).is_ok());
}

#[test]
fn what_the_hub_forgot_is_accounted_for_by_a_row_of_the_trail() {
    let mut rows = trail(9);
    let forgotten = Body::default().text("hash", hex(&rows[3].hash)).number("rows", 4).number("up_to", 4);
    rows.push(AuditRow::next(10, UnixMillis(0), FORGOTTEN, written(&forgotten), rows[8].hash));
    let whole = check(&rows[4..], None).unwrap();
    assert_eq!((whole.rows, whole.first, whole.has_beginning), (6, 5, true));
    is_found(&rows[5..], None, 6, &Fault::NoBeginning);
    assert!(check(&rows[4..], Some(noted(&rows[3]))).is_ok(), "the last forgotten row's hash is known");
    is_found(&rows[4..], Some(noted(&rows[2])), 3, &Fault::HeadForgotten { first: 5 });
    is_found(&rows[4..], Some(NotedHead { place: 4, hash: [1; 32] }), 4, &Fault::HeadChanged { now: rows[3].hash });
}

#[test]
fn a_line_is_read_as_it_was_written_and_no_other_way() {
    for row in trail(3).into_iter().chain([
        AuditRow::next(1, UnixMillis(-1), "told", "not JSON".to_owned(), [0xab; 32]),
        AuditRow::next(1, UnixMillis(-1), "told", "{\n}".to_owned(), [0xab; 32]),
        AuditRow::next(1, UnixMillis(-1), "told", "\"text\"".to_owned(), [0xab; 32]),
    ]) {
        let line = row.to_line();
        assert!(!line.contains('\n'));
        assert_eq!(AuditRow::from_line(&line), Ok(row), "{line}");
    }
    let line = trail(1)[0].to_line();
    for other in [
        line.replace(",\"at\"", ", \"at\""),
        line.replace("\"place\":1", "\"place\":1,\"place\":1"),
        line.replace("{\"place\":1", "{\"more\":1,\"place\":1"),
        line.replace("\"hash\":\"", "\"hash\":\"0"),
        format!("{line} "),
        String::new(),
    ] {
        assert_eq!(AuditRow::from_line(&other), Err(NoRow), "{other}");
    }
}

#[test]
fn a_body_is_json_in_one_way_only_and_names_nobody() {
    let body = Body::default()
        .truth("is_final", true)
        .named("person", "https://acme.example/", Some("ada"))
        .named("session", "https://acme.example/", None)
        .maybe("reason", Some("a \"quoted\"\u{7f}\u{1}é\\"))
        .maybe("client_id", None::<String>)
        .list("apps", vec![Body::default(), Body::default().number("b", 2).number("a", -1)]);
    let text = written(&body);
    let expected = "{\"apps\":[{},{\"a\":-1,\"b\":2}],\"is_final\":true,\"person\":\"hash of 21 and 3\",\"reason\":\"a \\\"quoted\\\"\u{7f}\\u0001é\\\\\"}";
    assert_eq!(text, expected);
    let read: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(read["reason"], "a \"quoted\"\u{7f}\u{1}é\\");
}

#[test]
fn the_bytes_that_are_hashed_are_those_of_the_reference() {
    let row = AuditRow::next(1, UnixMillis(1_767_225_600_000), "told", "{\"apps\":[]}".to_owned(), BEFORE_THE_FIRST);
    let bytes = format!("slo-hub audit 1\n1\n1767225600000\ntold\n{}\n{{\"apps\":[]}}", "0".repeat(64));
    assert_eq!(row.hash, sha256(bytes.as_bytes()));
}
