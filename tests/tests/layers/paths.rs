//! The paths a source names, read word by word: no parser, because only `crate::` and `super::` matter.

/// Names, `::`, `$` and punctuation of a source, without its comments, texts and characters.
pub(crate) fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let is_name = |c: char| c.is_alphanumeric() || c == '_';
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if first == '"' {
            end_of_text(rest)
        } else if first == '\'' {
            end_of_character(rest)
        } else {
            let length = match rest.find(|c| !is_name(c)) {
                Some(0) if rest.starts_with("::") => 2,
                Some(0) => first.len_utf8(),
                end => end.unwrap_or(rest.len()),
            };
            words.push(&rest[..length]);
            length
        };
        rest = rest[length..].trim_start();
    }
    words
}

fn end_of_text(rest: &str) -> usize {
    let mut escaped = true;
    for (at, c) in rest.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// `'a'` and `'\''` are characters, `'a` is a lifetime, of which the quote alone is skipped.
fn end_of_character(rest: &str) -> usize {
    let mut after = rest.char_indices().skip(1);
    match after.next() {
        Some((at, '\\')) => rest[at + 2..].find('\'').map_or(1, |end| at + end + 3),
        Some(_) => match after.next() {
            Some((at, '\'')) => at + 1,
            _ => 1,
        },
        None => 1,
    }
}

/// The paths that begin with `crate::` or `super::`, from the root of the crate.
pub(crate) fn paths(words: &[&str], file: &[String]) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    let mut module = file.to_vec();
    // Braces that are open, and whether they are a module's.
    let mut open = Vec::new();
    let mut at = 0;
    while at < words.len() {
        match words[at..] {
            ["#", "[", "cfg", "(", "test", ")", "]", "mod", _, "{", ..] => {
                at = past_block(words, at + 9);
                continue;
            }
            ["mod", name, "{", ..] => {
                module.push(name.to_owned());
                open.push(true);
                at += 2;
            }
            ["{", ..] => open.push(false),
            ["}", ..] => {
                let of_module = open.pop() == Some(true);
                module.truncate(module.len() - usize::from(of_module));
            }
            ["crate" | "super", "::", ..] if at == 0 || words[at - 1] != "$" => {
                at = tree(words, at, &module, &mut found);
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    found
}

/// Reads one path or `use` tree at `at`, below `prefix`; returns where it ends.
fn tree(words: &[&str], mut at: usize, prefix: &[String], found: &mut Vec<Vec<String>>) -> usize {
    let mut path = prefix.to_vec();
    loop {
        match words.get(at).copied() {
            Some("crate") => path.clear(),
            Some("super") => drop(path.pop()),
            Some("self" | "*") => {}
            Some("{") => {
                at += 1;
                while words[at] != "}" {
                    at = tree(words, at, &path, found);
                    at += usize::from(words[at] == ",");
                }
                return at + 1;
            }
            Some(name) => path.push(name.to_owned()),
            None => break,
        }
        at += 1;
        if words.get(at) != Some(&"::") || words.get(at + 1) == Some(&"<") {
            break;
        }
        at += 1;
    }
    found.push(path);
    at + if words.get(at) == Some(&"as") { 2 } else { 0 }
}

/// After the brace that closes the one at `at`.
fn past_block(words: &[&str], mut at: usize) -> usize {
    let mut depth = 0;
    while at < words.len() {
        match words[at] {
            "{" => depth += 1,
            "}" => depth -= 1,
            _ => {}
        }
        at += 1;
        if depth == 0 {
            break;
        }
    }
    at
}

#[test]
fn paths_are_read_wherever_they_stand() {
    let text = r#"
        //! crate::comment::x
        use crate::{a::{self, B}, c::D as E};
        #[cfg(test)]
        mod tests { use crate::test::X; }
        mod inner { use super::{super::up::Y, near::Z}; }
        fn f<'a>(_: &'a str) -> super::far::T { "crate::text::t"; '"'; crate::g::<u8>() }
        $crate::macros::m!();
    "#;
    let module = ["x", "y"].map(str::to_owned);
    let read: Vec<String> = paths(&words(text), &module)
        .iter()
        .map(|path| path.join("::"))
        .collect();
    let expected = [
        "a",
        "a::B",
        "c::D",
        "x::up::Y",
        "x::y::near::Z",
        "x::far::T",
        "g",
    ];
    assert_eq!(read, expected);
}
