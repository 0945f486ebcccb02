//! The guards of flights, memory, labels and the bus.

use super::{
    Mutation,
    Trial::{Orders, Processes, Schedules, Tests, Unit},
    edit,
};

macro_rules! engine {
    ($name:literal, $($file:literal, $find:literal => $replace:literal),+; $trial:expr) => {
        Mutation {
            name: $name,
            edits: &[$(edit(concat!("cache-runtime/src/", $file), $find, $replace)),+],
            trial: $trial,
        }
    };
}

pub(super) const ALL: &[Mutation] = &[
    engine!("an entry in memory does not look at its labels", "tags/stamp.rs",
        "self.at_root == self.root.evictions()" => "self.at_root <= u64::MAX"; Schedules),
    engine!("an entry in memory does not look at the epoch", "bus/coherence.rs",
        "self.served_from.load(Ordering::SeqCst) <= entry.epoch() && entry.is_current()" => "entry.is_current()"; Schedules),
    engine!("memory takes things in without a subscription", "bus/coherence.rs",
        "epoch.is_multiple_of(2) && epoch == self.epoch()" => "epoch < u64::MAX"; Unit("bus::coherence")),
    engine!("a generation is believed though its label was evicted since it was asked for", "tags/cell.rs",
        "put(known, || self.before() == before);" => "put(known, || before == before);"; Schedules),
    engine!("a generation is believed in another epoch", "tags/cell.rs",
        "let fits = known.epoch == epoch && known.life >= life;" => "let fits = epoch > 0 && known.life >= life;"; Schedules),
    engine!("an eviction does not forget the generation", "tags/cell.rs",
        "self.known.clear_around(|| count(&self.evictions, manner));" => "count(&self.evictions, manner);"; Schedules),
    engine!("the count of a label moves before what is known of it is forgotten", "tags/cell.rs",
        "self.known.clear_around(|| count(&self.evictions, manner));" => "count(&self.evictions, manner);\n        self.forget();"; Unit("tags::cell::")),
    engine!("what is known of a label is read while it is written", "tags/known.rs",
        "(version.is_multiple_of(2) && unchanged)" => "(version.is_multiple_of(2) || unchanged)"; Unit("tags::known::")),
    engine!("joiners take what this process may have missed", "engine/core.rs",
        "self.listening() == Some(flight.stamp.base.epoch)" => "flight.stamp.base.epoch < u64::MAX"; Schedules),
    engine!("a load does not notice evictions of tags it learns of later", "flight/state.rs",
        "self.tag_evictions == cells.tag_evictions()" => "self.tag_evictions <= cells.tag_evictions()"; Schedules),
    engine!("the clock does not order tags that the value names", "tags/generation.rs",
        "self.era == seen.era && self.n <= seen.n" => "self.era == seen.era || self.n <= seen.n || seen.n > 0"; Schedules),
    engine!("every pattern is taken for a region", "engine/evict.rs",
        "(None, _) => false," => "(None, _) => true,"; Schedules),
    engine!("an entry from Redis is alive whatever its labels say", "engine/judge.rs",
        "        match verdict {" => "        match [Verdict::Alive, verdict][0] {"; Schedules),
    engine!("expired counts as fresh", "engine/labels.rs",
        "(true, false) => Verdict::Expired," => "(true, false) => Verdict::Alive,"; Schedules),
    engine!("memory is evicted before Redis", "engine/evict.rs",
        "        let delivered = self.deliver().await;\n        let items = mem::take(&mut self.items);" =>
        "        settle(&self.core, &self.items);\n        let delivered = self.deliver().await;\n        let items = mem::take(&mut self.items);\n        if delivered.is_ok() {\n            return Ok(());\n        }"; Schedules),
    engine!("flights are not marked", "flight/state.rs",
        "self.marked.store(true, Ordering::SeqCst);" => "self.marked.store(false, Ordering::SeqCst);"; Schedules),
    engine!("the eviction of a label marks no flight", "engine/evict.rs",
        "    core.flights.mark_outdated();\n" => ""; Schedules),
    engine!("messages are not heeded", "engine/ear.rs", "if !own {" => "if own {"; Schedules),
    engine!("an eviction does not settle in its own process", "engine/evict.rs",
        "        settle(&self.core, &items);\n        delivered.map_err" => "        delivered.map_err"; Schedules),
    engine!("a sweep that no store heeds has one pass", "tiers/redis/commands/sweep.rs",
        "            self.pass(&ground.primaries, &leases).await?;\n" => "            let _ = &leases;\n", "tiers/redis/commands/sweep.rs",
        "let values = scan(&[Part::Value], glob_of(Part::Value));" =>
        "let values = scan(&[Part::Lease, Part::Value], self.names.glob_of_all(&glob));";
        Unit("redis::tests::sweep::a_load_begun_before")),
    engine!("a sweep that no store heeds leaves the leases", "tiers/redis/commands/sweep.rs",
        "            self.pass(&ground.primaries, &leases).await?;\n" => "            let _ = &leases;\n"; Unit("redis::tests::sweep::")),
    engine!("a sweep that no store heeds looks at the values first", "tiers/redis/commands/sweep.rs",
        "            self.pass(&ground.primaries, &leases).await?;\n" => "", "tiers/redis/commands/sweep.rs",
        "            gone += self.pass(&ground.primaries, &values).await?;\n" =>
        "            gone += self.pass(&ground.primaries, &values).await?;\n            self.pass(&ground.primaries, &leases).await?;\n"; Unit("redis::tests::sweep::")),
    engine!("a sweep leaves the leases", "tiers/redis/commands/sweep.rs",
        "let all = scan(&[Part::Lease, Part::Value]," => "let all = scan(&[Part::Value],"; Unit("redis::tests::conformance::")),
    engine!("a sweep does not ask whether it was heeded to its end", "tiers/redis/commands/sweep.rs",
        "done = notice.end(primary, batch_within).await?;" => "done = notice.end(primary, batch_within).await.is_ok();";
        Unit("redis::tests::sweep::")),
    engine!("a sweep does not say which keys it means", "tiers/redis/commands/sweep.rs",
        "let stem = self.glob.split(['*', '[']).next();" => "let stem = Some(\"-\");"; Unit("redis::tests::sweep::a_load_begun_before_a")),
    engine!("the server's glob knows of no digest where the regions are known", "key/pattern/mod.rs",
        ".filter(|digested| self.may_match_digest(digested))" => ".filter(|_| false)"; Unit("key::pattern::")),
    engine!("a read that another server answers is used", "engine/judge.rs",
        "waiting || elsewhere || !entry" => "waiting || !entry"; Tests("tiers", "cache::")),
    engine!("a part of the store that is not heard is served", "bus/coherence.rs",
        "(Some(silent), Ok(key)) => !(silent.unheard)(key)," => "(Some(_), Ok(_)) => true,"; Unit("bus::coherence::")),
    engine!("while a part is not heard, nobody asks for the key", "bus/coherence.rs",
        "        if in_parts {\n            self.served_until.store(0, Ordering::SeqCst);\n" => "        if in_parts {\n"; Unit("bus::coherence::")),
    engine!("a majority that changes goes on with its epoch", "tiers/redis/bus/chorus.rs",
        "            self.chorus.listener.lost(&self.why(\"heard again\"));\n" => ""; Unit("redis::bus::chorus::")),
    engine!("half of a cluster is enough to be heard", "tiers/redis/bus/chorus.rs",
        "heard.len() * 2 > self.cast.len()" => "!heard.is_empty()"; Unit("redis::bus::chorus::")),
    engine!("a sweep of a cluster does not see that slots moved", "tiers/redis/commands/sweep.rs",
        "        ground.is_as_before().await?;\n" => ""; Unit("redis::tests::cluster::a_sweep")),
    engine!("a sweep of a cluster does not ask whether all slots are known", "tiers/redis/servers.rs",
        "if served == SLOTS && estates" => "if served <= SLOTS && estates"; Unit("redis::tests::cluster::a_sweep")),
    engine!("a message is forgotten that was first heard where nobody relies on it", "tiers/redis/bus/session.rs",
        " || !self.teller.is_relied_on()" => ""; Unit("redis::tests::cluster::")),
    engine!("a sweep of a cluster begins while slots move", "tiers/redis/commands/sweep.rs",
        "        ground.is_whole()?;\n" => ""; Unit("redis::tests::cluster::a_sweep")),
    engine!("what is on its way keeps its lease", "tiers/redis/cluster/evict.rs",
        "for key in [self.names.lease(key), self.names.failed(key)]" => "for key in [self.names.failed(key)]"; Unit("redis::tests::cluster::")),
    engine!("what is on its way is evicted in silence", "tiers/redis/cluster/evict.rs",
        "            self.say(cluster, &at, message, by).await?;\n" => ""; Unit("redis::tests::cluster::")),
    engine!("a cluster's bus is as alive as the liveliest", "tiers/redis/bus/chorus.rs",
        "heard.into_iter().min()" => "heard.into_iter().max()"; Unit("redis::bus::chorus::")),
    engine!("memory is believed while the map of a cluster changes", "tiers/redis/bus/chorus.rs",
        "Sign::Heard(since)) || voices.hushed {" => "Sign::Heard(since)) {"; Unit("redis::bus::chorus::")),
    engine!("a copy of a message of a cluster counts", "tiers/redis/cluster/surveyor.rs",
        "\n            .with_recent(chorus.recent())" => ""; Unit("redis::tests::cluster::conformance::bus")),
    engine!("a dropped write evicts nothing", "door/evict.rs",
        "            drop(self.plan.task(items));" => "            drop(items);"; Tests("memory", "evict_races::")),
    engine!("a load does not say what it has seen", "engine/lead.rs",
        "seen: self.seen," => "seen: None,"; Tests("faults", "fault_30_foreign_value")),
    engine!("generations are read after the load", "engine/store.rs",
        "            (Right::Store, Some(lease), Some(burden)) => {\n" =>
        "            (Right::Store, Some(lease), Some(before)) => {
                let (core, mut view) = (Arc::clone(&call.core), View::default());
                let question = Question::of_load(&core, &call.labelling, before.life, &[]);
                let answer = core.tier.labelled(question.ask(&call.labelling), Duration::from_secs(1)).await;
                let answer = answer.unwrap_or_default();
                question.learn_all(&core, &call.labelling, &answer, &mut view);
                let burden = view.burden(&core, &call.labelling, answer.clock, before.life).unwrap_or(before);
"; Schedules),
    engine!("a load registers its flight after its GET", "engine/lead.rs",
        "        question.learn(&call.core, &read.labels, &mut self.view);\n" =>
        "        question.learn(&call.core, &read.labels, &mut self.view);
        let (kind, core) = (self.guard.flight().kind, &call.core);
        let begin = || core.beginning(call.key.text(), &call.labelling);
        self.guard = core.flights.overtake(&call.key, call.hash, call.reader, kind, begin);
"; Schedules),
    engine!("a template is registered after its first load", "engine/labels.rs",
        ".map(|_| Register::Region(labelling.root.region()))," => ".map(|_| Register::Nothing),", "engine/store.rs",
        "        if kept == Kept::Refused {\n            self.lost = true;" =>
        "        let register = Some(crate::tiers::Register::Region(call.labelling.root.region()));
        let ask = crate::tiers::Labels { register, ..Default::default() };
        let _ = call.core.tier.labelled(ask, Duration::from_secs(1)).await;
        if kept == Kept::Refused {\n            self.lost = true;"; Tests("model", "patterns::")),
    engine!("who evicts does not doubt what he knows of a lost registry", "engine/evict.rs",
        "        doubt(core, removed);\n" => ""; Tests("model", "patterns::")),
    engine!("a put takes its lease after its body", "engine/put.rs",
        "            put.take_lease().await;\n" => "", "engine/put.rs",
        "        self.counters.add(Count::Put);\n" =>
        "        self.counters.add(Count::Put);
        if self.policy.redis && self.core.tier.is_present() {
            self.take_lease().await;
        }
"; Schedules),
    engine!("a message gives a cell a generation", "testing/model/tier.rs",
        "                    drop(state);\n                    for gone in news {\n" =>
        "                    let told = |label: &_| match state.labels.standing(label) {
                        Standing::Is(is) => format!(\"#told|{}|{}|{}|{}\", is.evict, is.expire, is.made.era, is.made.n).into(),
                        _ => Box::from(\"#told\"),
                    };
                    let told: Vec<Vec<Box<str>>> =
                        news.iter().map(|gone| gone.labels.iter().map(told).collect()).collect();
                    drop(state);
                    for (mut gone, told) in news.into_iter().zip(told) {
                        gone.keys.extend(told);
", "engine/evict.rs",
        "    for key in &gone.keys {\n" =>
        "    let told = gone.keys.iter().filter(|key| key.starts_with(\"#told\"));
    for (label, told) in gone.labels.iter().zip(told) {
        let numbers: Vec<u64> = told.split('|').filter_map(|number| number.parse().ok()).collect();
        if let (&[evict, expire, era, n], Some(epoch)) = (&numbers[..], core.listening()) {
            let made = crate::tags::Logical { era, n };
            let cell = core.cells.cell(label);
            cell.learn(cell.before(), crate::tags::Generation { evict, expire, made }, epoch, now, Duration::MAX);
        }
    }
    for key in &gone.keys {\n"; Orders("two_evictions_by_tag")),
    engine!("the loss of the bus begins no epoch", "bus/coherence.rs",
        "Hearing::Listening | Hearing::NoBus(_) => self.begin(Parity::Deaf)," => "Hearing::Listening | Hearing::NoBus(_) => {}"; Unit("bus::coherence")),
    engine!("the subscription begins no epoch of its own", "bus/coherence.rs",
        "Hearing::Listening | Hearing::NoBus(_) => self.begin(Parity::Deaf)," => "Hearing::Listening | Hearing::NoBus(_) => self.begin(Parity::Listening),", "bus/coherence.rs",
        "        self.begin(Parity::Listening);\n        self.alive(since);" =>
        "        if self.epoch() % 2 == 1 {
            self.begin(Parity::Listening);
        }
        self.alive(since);"; Unit("bus::coherence")),
    engine!("a beat counts from when it arrived", "bus/coherence.rs",
        "if in_time {\n            self.alive(since);" => "if in_time {\n            self.alive(now);"; Unit("bus::coherence")),
    engine!("a beat that came too late brings trust back", "bus/coherence.rs",
        "if in_time {\n            self.alive(since);" => "if in_time || now > since {\n            self.alive(since);"; Unit("bus::coherence")),
    engine!("the caches of a process have one name on the bus", "tiers/redis/announcer.rs",
        "            instance: random()," =>
        "            instance: {
                static ONE: std::sync::LazyLock<Sender> = std::sync::LazyLock::new(random);
                *ONE
            },"; Unit("redis::tests::announce::messages_name")),
    engine!("an entry enters memory though a tag that it has named was evicted", "flight/table.rs",
        "(!entry.late || flight.knows_all_tag_evictions(&self.cells))" => "true"; Tests("model", "unknown_tags::")),
    engine!("the eviction of any tag keeps every load out of memory", "flight/table.rs",
        "(!entry.late || flight.knows_all_tag_evictions(&self.cells))" => "flight.knows_all_tag_evictions(&self.cells)"; Tests("memory", "label_races::")),
    engine!("joiners take what a tag of it was evicted of meanwhile", "engine/core.rs",
        "self.hears(flight) && flight.knows_all_tag_evictions(&self.cells)" => "self.hears(flight)"; Tests("model", "unknown_tags::")),
    engine!("a value is served though the eviction of a tag of it waits", "engine/judge.rs",
        "let waiting = entry.is_named_in(&call.core.journal, &call.key);" => "let waiting = false;"; Tests("model", "unknown_tags::")),
    engine!("a region registered for less is taken for registered", "tags/root.rs",
        "registered.life >= life" => "life >= Duration::ZERO"; Tests("redis", "registry::")),
    engine!("a region is taken for registered for ever", "tags/root.rs",
        "now.saturating_sub(registered.at) < BELIEVED" => "registered.at <= now"; Tests("redis", "registry::")),
    engine!("a region is taken for registered in a registry that was lost", "tags/root.rs",
        "cache.is_some_and(|cache| cache.evict == registered.cache)" => "cache.is_some()"; Tests("redis", "registry::")),
    // Values past their ttl, and loads in the background.
    engine!("a value past its ttl is served though its label was evicted", "bus/coherence.rs",
        "<= entry.epoch() && entry.stands()" => "<= entry.epoch()"; Schedules),
    engine!("a value past its ttl is served in another epoch", "bus/coherence.rs",
        "believed && self.served_from.load(Ordering::SeqCst) <= entry.epoch() && entry.stands()" => "believed && entry.stands()"; Schedules),
    engine!("a value past its ttl is served while nothing is heard", "bus/coherence.rs",
        "        believed && self.served_from" => "        (believed || entry.epoch() > 0) && self.served_from"; Unit("bus::coherence::")),
    engine!("what memory keeps past its ttl is believed whatever the bus says", "engine/read.rs",
        "        && core.keeps(&entry, now, text);" => "        && core.keeps(&entry, now, text)\n            | entry.carries(reader, std::iter::empty());"; Schedules),
    engine!("an eviction is counted as if it had expired what carries the label", "tags/cell.rs",
        "Manner::Evict => EVICTION," => "Manner::Evict => 1,"; Schedules),
    engine!("what was in hand before a load registered is not looked at again", "engine/lead.rs",
        "        call.look_at_hand_again();\n" => ""; Schedules),
    engine!("what is in hand is not dropped by an eviction", "engine/patience.rs",
        "self.in_hand.as_ref().filter(|_| !overtaken)" => "self.in_hand.as_ref().filter(|_| !overtaken || overtaken)"; Schedules),
    engine!("a load is told of what an eviction has overtaken", "engine/patience.rs",
        "self.in_hand().filter(|_| !self.refresh)?;" => "self.in_hand.as_ref().filter(|_| !self.refresh)?;"; Schedules),
    engine!("who joins is offered what this process may have missed the end of", "flight/state.rs",
        "        let fits = sure || as_of" => "        let fits = !sure || sure || as_of"; Unit("flight::state::")),
    engine!("who joins is offered what a tag was evicted of that the load does not know", "engine/call.rs",
        "self.core.is_sure(flight);" => "self.core.hears(flight);"; Tests("model", "unknown_tags::")),
    engine!("a value past its ttl is as old as the load that failed", "flight/state.rs",
        "            Some((in_hand, Some(as_of))) => Outcome::Stale(in_hand.clone(), why, Some(*as_of)),\n" =>
        "            Some((in_hand, Some(_))) => {
                let as_of = *self.as_of.lock().unwrap_or_else(PoisonError::into_inner);
                Outcome::Stale(in_hand.clone(), why, as_of)
            }
"; Unit("flight::state::")),
    engine!("joiners take a value past its ttl however old it is", "engine/call.rs",
        "            Some(Outcome::Stale(_, _, Some(as_of))) if as_of <= self.began => None,\n" => ""; Schedules),
    engine!("joiners are served by the windows of others", "engine/call.rs",
        "if !self.allows(&in_hand, why) =>" => "if why == Why::SoftTimeout && !self.allows(&in_hand, why) =>"; Schedules),
    engine!("an expired value goes into memory as if it were fresh", "engine/judge.rs",
        "        if is_stale {\n" => "        if is_stale && self.right == Right::Nothing {\n"; Schedules),
    engine!("the byte that says expired is not looked at", "engine/read.rs",
        "let fresh = now < header.fresh_until && !header.expired;" => "let fresh = now < header.fresh_until;"; Schedules),
    engine!("memory does not heed that a key was expired", "engine/evict.rs",
        "            core.memory.expire(hash, text);\n" => ""; Schedules),
    engine!("memory does not heed that a pattern was expired", "tiers/memory/mod.rs",
        "            self.expire(hash, text);\n" => "            let _ = (hash, text);\n"; Schedules),
    engine!("a hit serves at once what was evicted or is of another epoch", "door/hit.rs",
        "        if !core.serves_at_once(entry, now) {" => "        if now == 0 {"; Schedules),
    engine!("labels that were found current are never looked at again", "tiers/memory/tail.rs",
        "self.found_current.load(Ordering::Relaxed) == moves" => "self.found_current.load(Ordering::Relaxed) <= moves"; Schedules),
    engine!("entries are born under counts of before an eviction", "tiers/memory/birth.rs",
        "        base.is_same(other) && base" => "        base.root_id() == other.root_id() && base"; Unit("tiers::memory::birth::")),
    engine!("a birth answers for labels that were read before an eviction it knows of", "tiers/memory/birth.rs",
        " && base.is_no_later(other) && " => " && "; Unit("tiers::memory::birth::")),
    engine!("entries that keep their values in two ways are born alike", "tiers/memory/birth.rs",
        "            way: (self.of.keeping.way)()," => "            way: self.of.type_id(),"; Unit("tiers::memory::tests::")),
    engine!("what hits call for is another entry's of the same key", "tiers/memory/late.rs",
        "(late.of == entry.identity())" => "true"; Unit("tiers::memory::tests::")),
    engine!("what may not enter memory is dropped under a lock", "flight/table.rs",
        "let (entry, _refused) = if enters" => "let (entry, _) = if enters"; Unit("flight::table::")),
    engine!("a load that was overtaken enters memory", "flight/table.rs",
        "        !flight.is_marked()\n            && self" => "        self"; Schedules),
    engine!("a load that may not be stored is", "engine/store.rs",
        "Ok(prepared) if self.right == Right::Nothing || self.is_overtaken(call, &prepared) => {" => "Ok(prepared) if self.is_overtaken(call, &prepared) => {"; Tests("memory", "label_races::")),
    engine!("a load is joined for another key of the same hash", "flight/table.rs",
        "            flight.key.text() == key.text() && flight.key.full() == key.full()" => "            flight.key.text() == key.text() || flight.key.full() == key.full()"; Unit("flight::table::")),
    engine!("an eviction marks the flights of another key of the same hash", "flight/table.rs",
        "    let concerned = |held: &Held| held.flight.key.text() == text;" => "    let concerned = |held: &Held| held.hash == hash && text.len() == text.len();"; Unit("flight::table::")),
    engine!("an answer that nobody asked for waits for who asks next", "tiers/redis/wire/carrier.rs",
        "if in_hand.waiting.is_empty() && !self.input.is_empty() {" => "if in_hand.waiting.is_empty() && self.input.len() > KEPT {"; Unit("redis::wire::tests::")),
    engine!("nobody tells a hit that its time is over", "tiers/redis/wire/watcher.rs",
        "    in_hand.tell(now);\n" => ""; Unit("redis::wire::tests::")),
    engine!("a hit relies on a runtime that nobody drives", "tiers/redis/wire/outbox.rs",
        "self.runtime.is_some() && self.runtime == runtime()" => "self.runtime.is_some()"; Unit("redis::wire::tests::")),
    engine!("a stream keeps back what was written to it", "tiers/redis/wire/carrier.rs",
        "                ready!(Pin::new(&mut self.stream).poll_flush(cx))?;\n" => ""; Unit("redis::wire::tests::")),
    engine!("a load begins between the mark and the removal", "flight/table.rs",
        "        mark_key(&mut in_flight, hash, text);\n        memory()" => "        mark_key(&mut in_flight, hash, text);\n        drop(in_flight);\n        memory()"; Unit("flight::table::")),
    engine!("memory counts the life of an entry from its store", "engine/store.rs",
        "    let now = prepared.born;\n" => "    let now = parts.core.clock.now().max(prepared.born);\n"; Schedules),
    engine!("what a scan has left in a registry that was made anew is believed", "engine/around.rs",
        "            swept = self.ask_what_is_registered(core, within).await;\n" => ""; Tests("redis", "registry::")),
    engine!("a glance does not look whether what it finds may be served", "cache/glance.rs",
        "entry.is_for(&reader, key.full(), now) && core.serves_at_once(entry, now)" => "entry.is_for(&reader, key.full(), now)"; Tests("memory", "glance::")),
    engine!("a glance does not look at tags", "cache/glance.rs",
        "!policy.own_tags().iter().all(carries)" => "!policy.own_tags().iter().all(|tag| carries(tag) || true)"; Tests("memory", "glance::")),
    engine!("an entry in memory gets younger than it was", "tiers/memory/term.rs",
        "|it| it.div_ceil(10)" => "|it| it / 10"; Unit("tiers::memory::term::")),
    engine!("an entry in memory is kept for longer than was decided", "tiers/memory/term.rs",
        "Span::of(later.saturating_sub(end), |it| it / 10)" => "Span::of(later.saturating_sub(end), |it| it.div_ceil(10))"; Unit("tiers::memory::term::")),
    engine!("of a long key the end is not compared", "tiers/memory/tail.rs",
        "            Self::By32(end) => text.last_chunk() == Some(end)," => "            Self::By32(_) => true,"; Unit("tiers::memory::")),
    // What the processes notice too.
    engine!("processes do not heed messages", "engine/ear.rs", "if !own {" => "if own {"; Processes),
    engine!("a process does not look at the epoch", "bus/coherence.rs",
        "self.served_from.load(Ordering::SeqCst) <= entry.epoch() && entry.is_current()" => "entry.is_current()"; Processes),
    engine!("no process presents a lease", "tiers/redis/scripts/store.lua",
        "if string.sub(lease, 1, 16) ~= ARGV[1] then return 0 end" => ""; Processes),
];
