//! Behaviour in one process, without Redis. One program for all themes, because every program is linked against the whole
//! workspace; what is the process's own (its environment, its default cache) has programs beside this one.

mod around;
mod by_value;
mod config;
mod evict;
mod evict_by_hand;
mod evict_races;
mod evict_results;
mod exposition;
mod forms;
mod freshness;
mod generics;
mod glance;
mod handle;
mod handover;
mod key_texts;
mod keys;
mod label_races;
mod labels;
mod owned;
mod owned_methods;
mod put;
mod put_races;
mod recursion;
mod report;
mod secret;
mod secret_keys;
mod slow_failures;
mod spans;
mod stampede;
mod stats;
mod tag_texts;
mod tags_of_arguments;
mod templates;
mod tiers;
mod values;
