import type { AlertState } from '../../core/alert.ts';
import type { Json, JsonObject, LogEntry } from '../../core/entry.ts';
import { isFalse, knowsTask, settle, type TaskFacts, taskFacts } from '../../core/expr.ts';
import { FRAME_BYTES } from '../../core/limits.ts';
import type { Task } from '../../core/task.ts';
import type { Clock } from '../../core/time.ts';
import { ChangeFollower, type FollowerOptions } from '../follower.ts';
import { taskOf } from '../replies/answers.ts';
import { Pace } from '../slack/pace.ts';
import { Outbox, type OutboxOptions } from './outbox.ts';
import { type Place, Places } from './places.ts';
import type { Rule } from './rule.ts';
import { Turns } from './turns.ts';
import { type Firing, Watch } from './watch.ts';

export interface EvaluatorOptions extends Pick<FollowerOptions, 'store' | 'live' | 'log' | 'intake'> {
  readonly clock: Clock;
  readonly outbox: Pick<OutboxOptions, 'parts' | 'accounts' | 'outbound'>;
}

type Begun = Omit<Place, 'seenMs'>;

/** The setting in which its place is kept, and what it has counted. */
export const PLACE = 'alerts';
const PAGE_LINES = 1_000;

/**
 * Judges rules on what is committed:
 *
 *   a task changed ─▶ its lines after the place in it ─▶ rules about tasks ─▶ a watch for each rule ─▶ pace ─▶ outbox
 *
 * Places, watches and what waits in the outbox are kept together with the follower's place, in one write: what is looked at again
 * after a kill is counted from where all of that stood, and so it is counted once.
 */
export class Evaluator {
  readonly #options: EvaluatorOptions;
  readonly #follower: ChangeFollower;
  readonly #outbox: Outbox;
  readonly #pace: Pace;
  readonly #places = new Places();
  readonly #watches = new Map<string, Watch>();
  readonly #turns = new Turns();
  #rules: readonly Rule[] = [];
  #enabled: readonly Rule[] = [];

  constructor(options: EvaluatorOptions) {
    const { store, live, log, intake, clock } = options;
    this.#options = options;
    this.#pace = new Pace(clock);
    this.#outbox = new Outbox({
      ...{ ...options.outbox, clock, log },
      rule: async (id) => this.#rules.find((rule) => rule.id === id),
      keep: () => this.#follower.keep(),
      dropped: (ruleId, fault) => this.#watches.get(ruleId)?.drop(fault),
    });
    this.#follower = new ChangeFollower({
      ...{ store, live, log, intake, clock, name: PLACE, lines: true },
      look: (taskId) => this.#look(taskId),
      kept: {
        write: () => this.#write(),
        read: (saved) => this.#read(saved),
        begin: async (since) => this.#places.begin(since, await store.taskNumber()),
        stood: (tasks) => {
          // Whether they had ended is not known: their own times say so.
          for (const { taskId, lastSeq: seq } of tasks) {
            this.#place(taskId, { seq, ended: true, number: 0, counted: [] });
          }
        },
      },
    });
  }

  /** Judge these from now on. */
  follow(rules: readonly Rule[]): void {
    this.#rules = rules;
    this.#enabled = rules.filter(({ definition }) => definition.enabled);
    const ids = new Set(rules.map(({ id }) => id));
    for (const id of this.#watches.keys()) if (!ids.has(id)) this.#watches.delete(id);
    for (const rule of rules) this.#watchOf(rule).follow(rule);
  }

  start(): void {
    this.#follower.start();
  }

  /** Resolves when everything that was committed before the call is counted. */
  settled(): Promise<void> {
    return this.#follower.settled();
  }

  /** Resolves when every notice is with its targets, or given up. */
  sent(): Promise<void> {
    return this.#outbox.idle();
  }

  state(rule: Rule): AlertState {
    return this.#watchOf(rule).state(this.#options.clock.now());
  }

  /** Send what is under way, unless that takes too long, and stop. Safe to call twice. */
  async close(): Promise<void> {
    await this.#outbox.close();
    await this.#follower.close();
  }

  async #look(taskId: string): Promise<void> {
    const task = await taskOf(this.#options, taskId);
    if (task === null) return this.#places.forget(taskId);
    const facts = taskFacts(task);
    const place = this.#places.of(taskId);
    const number = place?.number ?? (await this.#options.store.taskNumber(taskId));
    // What the server knows, not the times that a task claims: it may be brought from elsewhere.
    const isNew = place === undefined && number > this.#places.number;
    const { ended, seq, counted } = place ?? { ended: !isNew, seq: 0, counted: [] };
    const from = isNew || place ? null : this.#places.from;
    await this.#judgeLines(task, { facts, from, place: { ended, seq, counted, number } });
    this.#judgeTask(task, { facts, endsNow: task.ended && !ended });
  }

  #judgeTask(task: Task, { facts, endsNow }: { readonly facts: TaskFacts; readonly endsNow: boolean }): void {
    const { taskId, ended } = task;
    const place = this.#places.of(taskId);
    if (!place) return;
    const { counted } = place;
    this.#place(taskId, { ...place, ended });
    const matching = this.#enabled.filter(
      (rule) =>
        rule.definition.on === 'task' &&
        !counted.includes(markOf(rule)) &&
        (endsNow || !this.#isPast(task, rule)) &&
        rule.matchesTask(facts),
    );
    if (matching.length === 0) return;
    // Marks of rules that are no more would only pile up.
    const marks = this.#rules.map(markOf).filter((mark) => counted.includes(mark));
    this.#place(taskId, { ...place, ended, counted: [...marks, ...matching.map(markOf)] });
    for (const rule of matching) this.#seen(rule, taskId, null);
  }

  /** It ended before anybody looked for it. */
  #isPast({ completedAt }: Task, { updatedAt }: Rule): boolean {
    return completedAt !== null && (completedAt < (updatedAt ?? '') || completedAt < this.#places.from);
  }

  /** `from`: which lines count by their times, where it is not known which are new. */
  async #judgeLines(
    task: Task,
    { facts, from, place }: { readonly facts: TaskFacts; readonly from: string | null; readonly place: Begun },
  ): Promise<void> {
    const { store } = this.#options;
    const { taskId } = task;
    const rules = this.#enabled.filter(({ definition }) => definition.on === 'lines');
    const expr = settle({ op: 'any', parts: rules.map(({ query }) => query.expr) }, knowsTask(facts));
    if (isFalse(expr)) return this.#place(taskId, { ...place, seq: Math.max(place.seq, task.log.lastSeq) });
    const filter = { query: { text: '', expr }, ...(from !== null && { from }) };
    for (let after = place.seq; ; ) {
      const page = await store.read(taskId, { after, filter, limit: PAGE_LINES, maxBytes: FRAME_BYTES });
      // A line is counted and noted in one go: what is kept meanwhile has both or neither.
      for (const entry of page.entries) {
        const found = await this.#rulesFor(entry, { rules, facts });
        for (const rule of found) this.#seen(rule, taskId, entry.seq);
        this.#place(taskId, { ...place, seq: entry.seq });
      }
      after = Math.max(after, page.scannedTo);
      this.#place(taskId, { ...place, seq: after });
      if (page.done) return;
    }
  }

  /** Patterns over long lines take their time, and nobody else may have to wait for all of them. */
  async #rulesFor(
    entry: LogEntry,
    { rules, facts }: { readonly rules: readonly Rule[]; readonly facts: TaskFacts },
  ): Promise<readonly Rule[]> {
    const found: Rule[] = [];
    for (const rule of rules) {
      while (this.#turns.isOver) await this.#turns.next();
      if (rule.matchesLine(entry, facts)) found.push(rule);
    }
    return found;
  }

  #place(taskId: string, place: Begun): void {
    this.#places.set(taskId, { ...place, seenMs: this.#options.clock.now() });
  }

  #seen(rule: Rule, taskId: string, seq: number | null): void {
    const watch = this.#watchOf(rule);
    const firing = watch.seen(this.#options.clock.now(), taskId, seq);
    if (firing) this.#fire(rule, watch, firing);
  }

  #fire(rule: Rule, watch: Watch, firing: Firing): void {
    const missed = this.#pace.admit();
    if (missed === null) watch.drop(null);
    else this.#outbox.add(rule.id, firing, missed);
  }

  #watchOf(rule: Rule): Watch {
    const known = this.#watches.get(rule.id);
    if (known) return known;
    const watch = new Watch(rule);
    this.#watches.set(rule.id, watch);
    return watch;
  }

  #write(): JsonObject {
    const watches = [...this.#watches].map(([id, watch]): [string, JsonObject] => [id, watch.write()]);
    return { places: this.#places.write(), watches: Object.fromEntries(watches), outbox: this.#outbox.write() };
  }

  #read(saved: JsonObject): void {
    this.#places.read(saved.places);
    for (const [id, written] of Object.entries(watchesIn(saved))) this.#watches.get(id)?.read(written);
    this.#outbox.read(saved.outbox);
  }
}

/** What was kept of each rule. */
export function watchesIn(saved: Json): Readonly<Record<string, JsonObject>> {
  const { watches } = (saved ?? {}) as { watches?: Readonly<Record<string, JsonObject>> };
  return watches ?? {};
}

/** Tells a rule from others, and from what it was before it counted something else. */
function markOf({ id, stamp }: Rule): string {
  return `${id} ${stamp}`;
}
