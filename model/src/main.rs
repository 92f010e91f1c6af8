//! Explore the rules in every scope, or those named; then put old rules back, or those named (`c1`).

mod nodes;
mod properties;
mod protocol;
mod rules;
mod state;
mod statements;

use std::process::ExitCode;
use std::time::Instant;

use stateright::{Checker, Expectation, HasDiscoveries, Model};

use crate::protocol::{Protocol, Step};
use crate::rules::{OLD, Rule, SCOPES, Scope};

fn main() -> ExitCode {
    let named: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--old").collect();
    let wanted = |name: &str| named.is_empty() || named.iter().any(|wanted| wanted == name);
    let held = SCOPES.iter().filter(|scope| wanted(scope.name)).map(explore);
    let broke = OLD.iter().filter(|old| wanted(old.0)).flat_map(|(name, rules, scope, broken)| {
        broken.iter().map(move |property| put_back(name, rules, scope, property))
    });
    let results: Vec<bool> = held.chain(broke).collect();
    if !results.is_empty() && results.iter().all(|good| *good) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Visit every state: what must always hold does, and what must be possible is.
fn explore(scope: &Scope) -> bool {
    let began = Instant::now();
    let found = Protocol { old: &[], scope: *scope, symmetric: true }.checker().threads(2).spawn_bfs().join();
    let (states, steps, depth) = (found.unique_state_count(), found.state_count(), found.max_depth() - 1);
    println!("{}: {states} states, {steps} steps, depth {depth}, {:.1} s", scope.name, began.elapsed().as_secs_f64());
    let judge = |(expected, name): (Expectation, &'static str)| {
        let path = found.discovery(name);
        let good = path.is_some() == (expected == Expectation::Sometimes);
        println!("  {expected:?} {name}: {}", if good { "yes" } else { "NO" });
        path.into_iter().filter(|_| !good).for_each(|path| show("by", path.into_actions()));
        good
    };
    found.model().properties().into_iter().map(|it| judge((it.expectation, it.name))).filter(|good| !good).count() == 0
}

/// Look for the shortest way to break a property: to each depth in turn.
fn put_back(name: &str, old: &'static [Rule], scope: &str, property: &'static str) -> bool {
    let scope = *SCOPES.iter().find(|known| known.name == scope).expect("a scope");
    (2..40).any(|depth| {
        let checker = Protocol { old, scope, symmetric: false }.checker().target_max_depth(depth).threads(2);
        let found = checker.finish_when(HasDiscoveries::AnyOf([property].into())).spawn_bfs().join();
        let way = found.discovery(property).map(|path| path.into_actions());
        way.map(|steps| show(&format!("{name} breaks '{property}'"), steps)).is_some()
    })
}

fn show(title: &str, steps: Vec<Step>) {
    println!("{title}:");
    for (n, step) in steps.iter().enumerate() {
        let who = step.worker.map_or(String::new(), |w| format!("worker {w}: "));
        let what = step.message.map_or(String::new(), |it| format!(" {:?}, fence {}", it.status, it.fence));
        println!("  {:2}. {who}{}{what}", n + 1, step.name);
    }
}
