import type { Json, JsonObject, LogEntry } from '../../core/entry.ts';
import type { LogFilter } from '../../core/filter.ts';
import { LEVELS } from '../../core/level.ts';
import { FRAME_BYTES } from '../../core/limits.ts';
import { predicate } from '../../core/predicate.ts';
import type { Task } from '../../core/task.ts';
import { type Clock, isoTime, systemClock } from '../../core/time.ts';
import { ChangeFollower, type OutletParts } from '../follower.ts';
import type { Outbound } from '../outbound/outbound.ts';
import { taskOf } from '../replies/answers.ts';
import { type Accounts, slackMessage } from '../replies/request.ts';
import { type SendOptions, send } from '../replies/send.ts';
import { Slots } from '../slots.ts';
import { firstError, noticeMessage, windowAround } from './message.ts';
import { Pace } from './pace.ts';
import { fits, type NoticeSettings, type Rule } from './rules.ts';

export interface NoticesParts extends OutletParts {
  readonly settings: NoticeSettings;
  readonly accounts: Pick<Accounts, 'slack' | 'slackWebhook'>;
  readonly outbound?: Outbound;
}

/** What is told, and where. */
interface Telling {
  readonly task: Task;
  readonly rule: Rule | null;
  /** The line that it is about (default: the first error). */
  readonly seq?: number;
  readonly signal: AbortSignal;
}

const SENDING = 4;
const TRIES = 4;
/** What ended longer ago is no news. */
const NEWS_MS = 60 * 60 * 1000;
/** Tellings that are remembered over a restart, and places in tasks that are while it runs. */
const TOLD = 500;
const PLACES = 10_000;
const PAGE_LINES = 1_000;

/**
 * Tells Slack of tasks that end or wait for a person, and of what rules look for:
 *
 *   a task changed ─▶ its status, its cost ─▶ its lines after the place in it ─▶ pace ─▶ one message
 *
 * Statuses are followed over a restart; lines from the start of the server on.
 */
export class Notices {
  readonly #parts: NoticesParts;
  readonly #clock: Clock;
  readonly #follower: ChangeFollower;
  readonly #pace: Pace;
  readonly #slots = new Slots(SENDING);
  readonly #taskRules: readonly Rule[];
  readonly #lineRules: readonly { readonly rule: Rule; readonly matches: (entry: LogEntry) => boolean }[];
  readonly #filter: LogFilter;
  /** What was told of tasks that may change again. */
  readonly #told = new Set<string>();
  /** The last line of each task that was looked at. */
  readonly #places = new Map<string, number>();
  /** In tasks that are older, only lines from then on count. */
  #from: string;

  constructor(parts: NoticesParts) {
    const { store, live, intake, log, clock = systemClock } = parts;
    const { rules } = parts.settings;
    this.#parts = parts;
    this.#clock = clock;
    this.#from = isoTime(clock.now());
    this.#pace = new Pace(clock);
    this.#taskRules = rules.filter((rule) => rule.lines === null);
    this.#lineRules = rules.flatMap((rule) => (rule.lines ? [{ rule, matches: predicate(rule.lines) }] : []));
    this.#filter = commonFilter(rules);
    const kept = { write: () => ({ told: [...this.#told] }), read: (saved: JsonObject) => this.#remember(saved.told) };
    const look = (taskId: string, signal: AbortSignal): Promise<void> => this.#look(taskId, signal);
    const lines = this.#lineRules.length > 0;
    this.#follower = new ChangeFollower({ store, live, intake, log, clock, name: 'slack_notices', lines, look, kept });
  }

  start(): void {
    this.#follower.start();
  }

  /** Resolves when everything that was committed before the call is told. */
  settled(): Promise<void> {
    return this.#follower.settled();
  }

  /** Send what is under way, unless that takes too long, and stop. Safe to call twice. */
  close(): Promise<void> {
    return this.#follower.close();
  }

  async #look(taskId: string, signal: AbortSignal): Promise<void> {
    const task = await taskOf(this.#parts, taskId);
    if (task === null) return;
    if (!this.#isPast(task)) {
      const { on } = this.#parts.settings;
      if (on.includes(task.status)) await this.#tellOnce(markOf(task), { task, rule: null, signal });
      for (const rule of this.#taskRules) {
        if (!fits(rule, task)) continue;
        const mark = rule.statuses ? markOf(task) : task.taskId;
        await this.#tellOnce(`${mark} ${rule.name}`, { task, rule, signal });
      }
    }
    if (this.#lineRules.length > 0) await this.#lookAtLines(task, signal);
  }

  #isPast({ completedAt }: Task): boolean {
    if (completedAt === null) return false;
    return completedAt < this.#follower.since || completedAt < isoTime(this.#clock.now() - NEWS_MS);
  }

  async #tellOnce(mark: string, telling: Telling): Promise<void> {
    if (this.#told.has(mark)) return;
    await this.#tell(telling);
    this.#remember([mark]);
  }

  async #lookAtLines(task: Task, signal: AbortSignal): Promise<void> {
    const { store } = this.#parts;
    const { taskId } = task;
    const place = this.#places.get(taskId);
    const isOld = place === undefined && task.createdAt < this.#from;
    const filter = isOld ? { ...this.#filter, from: this.#from } : this.#filter;
    for (let after = place ?? 0; ; ) {
      const page = await store.read(taskId, { after, filter, limit: PAGE_LINES, maxBytes: FRAME_BYTES });
      for (const entry of page.entries) {
        for (const { rule, matches } of this.#lineRules) {
          if (fits(rule, task) && matches(entry)) await this.#tell({ task, rule, seq: entry.seq, signal });
        }
      }
      after = Math.max(after, page.scannedTo);
      this.#place(taskId, after);
      if (page.done) return;
    }
  }

  #place(taskId: string, seq: number): void {
    // The one that is used goes to the end: the first is forgotten first.
    this.#places.delete(taskId);
    this.#places.set(taskId, seq);
    if (this.#places.size <= PLACES) return;
    this.#places.delete(this.#places.keys().next().value ?? '');
    this.#from = isoTime(this.#clock.now());
  }

  async #tell({ task, rule, seq, signal }: Telling): Promise<void> {
    const { store, settings, accounts, outbound, publicUrl, log } = this.#parts;
    if (rule && !this.#pace.warm(`${rule.name} ${task.taskId}`, rule.coolDownMs)) return;
    const missed = this.#pace.admit();
    if (missed === null) return;
    const shown = seq ?? (task.status === 'pending_approval' ? null : await firstError(store, task));
    const window = shown === null ? [] : await windowAround(store, task.taskId, shown);
    const message = noticeMessage({ task, rule: rule?.name ?? null, seq: shown, window, missed, publicUrl });
    const channel = rule?.channel ?? settings.channel;
    const { slackWebhook } = accounts;
    const reply = slackMessage(channel === null ? { slackWebhook } : accounts, message, { channel });
    if (!reply.ok) return log.warn(`no message about ${task.taskId} went to Slack: ${reply.reason}`);
    const how: SendOptions = { namedBy: 'settings', outbound, tries: TRIES, signal, isSlack: true };
    const sent = await this.#slots.run(() => send(reply.request, how));
    if (sent.ok) return;
    if (sent.stopped) throw new Error('stopped before it was sent');
    log.warn(`no message about ${task.taskId} went to Slack: ${sent.reason}`);
  }

  #remember(marks: Json | undefined): void {
    if (!Array.isArray(marks)) return;
    for (const mark of marks) if (typeof mark === 'string') this.#told.add(mark);
    for (const mark of this.#told) {
      if (this.#told.size <= TOLD) break;
      this.#told.delete(mark);
    }
  }
}

/** Tells this end, or this wait, from another of the same task. */
function markOf({ taskId, status, completedAt, startedAt }: Task): string {
  return `${taskId} ${status} ${completedAt ?? startedAt ?? ''}`;
}

/** What of the lines all rules together look at. */
function commonFilter(rules: readonly Rule[]): LogFilter {
  const filters = rules.flatMap(({ lines }) => lines ?? []);
  if (filters.length === 1 && filters[0]) return filters[0];
  const levels = LEVELS.filter((level) => filters.some((filter) => filter.levels?.includes(level) ?? true));
  return levels.length === LEVELS.length ? {} : { levels };
}
