//! The TypeScript type of an IDL, as the Anchor command line writes it: every name in camelCase.

use std::collections::HashSet;

use anyhow::Result;
use heck::{ToLowerCamelCase, ToUpperCamelCase};
use serde_json::Value;

/// Addresses look like names and must not be changed.
const ADDRESS: &str = "address";

/// The TypeScript source of the type of `idl`.
///
/// # Errors
/// None in practice: an IDL is valid JSON.
pub fn type_of(name: &str, idl: &Value) -> Result<String> {
    let mut names = HashSet::new();
    collect_names(idl, &mut names);
    let mut camel = idl.clone();
    rename(&mut camel, &names);
    Ok(format!(
        "/**\n \
         * Program IDL in camelCase format in order to be used in JS/TS.\n \
         *\n \
         * Note that this is only a type helper and is not the actual IDL. The original\n \
         * IDL can be found at `target/idl/{name}.json`.\n \
         */\n\
         export type {} = {};\n",
        name.to_upper_camel_case(),
        serde_json::to_string_pretty(&camel)?
    ))
}

/// The strings that name something: the values of fields, if they are one word. Lists refer to names by the same
/// words.
fn collect_names(value: &Value, names: &mut HashSet<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect_names(item, names)),
        Value::Object(fields) => {
            for (key, field) in fields {
                match field {
                    Value::String(text) if key != ADDRESS && is_word(text) => {
                        names.insert(text.clone());
                    }
                    other => collect_names(other, names),
                }
            }
        }
        _ => {}
    }
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || c == '_')
}

fn rename(value: &mut Value, names: &HashSet<String>) {
    match value {
        Value::String(text) if names.contains(text.as_str()) => *text = text.to_lower_camel_case(),
        Value::Array(items) => items.iter_mut().for_each(|item| rename(item, names)),
        Value::Object(fields) => {
            let named = fields.iter_mut().filter(|(key, _)| *key != ADDRESS);
            named.for_each(|(_, field)| rename(field, names));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_are_camel_case_wherever_they_stand() {
        let idl = json!({
            "address": "BLSTxFhSiQmGqBBS4HxB6a8hsWoYt9DRGo1JECPhZUvH",
            "metadata": { "name": "my_program", "version": "0.1.0" },
            "instructions": [{
                "name": "open_account",
                "docs": ["Opens an account."],
                "accounts": [
                    { "name": "margin_account", "relations": ["owner_key"] },
                    { "name": "owner_key", "signer": true },
                ],
                "args": [{ "name": "limit_1h", "type": { "option": "u64" } }],
            }],
            "errors": [{ "code": 6000, "name": "BadPrice", "msg": "stale price" }],
        });
        let expected = json!({
            "address": "BLSTxFhSiQmGqBBS4HxB6a8hsWoYt9DRGo1JECPhZUvH",
            "metadata": { "name": "myProgram", "version": "0.1.0" },
            "instructions": [{
                "name": "openAccount",
                "docs": ["Opens an account."],
                "accounts": [
                    { "name": "marginAccount", "relations": ["ownerKey"] },
                    { "name": "ownerKey", "signer": true },
                ],
                "args": [{ "name": "limit1h", "type": { "option": "u64" } }],
            }],
            "errors": [{ "code": 6000, "name": "badPrice", "msg": "stale price" }],
        });
        let text = type_of("my_program", &idl).unwrap();
        let (head, rest) = text.split_once("export type MyProgram = ").unwrap();
        assert!(head.starts_with("/**\n * Program IDL"), "{head}");
        let body: Value = serde_json::from_str(rest.trim_end().trim_end_matches(';')).unwrap();
        assert_eq!(body, expected);
    }
}
