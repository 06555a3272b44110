import { createHash, randomUUID } from 'node:crypto';
import type { AlertDelivery, AlertTarget } from '../../core/alert.ts';
import type { Json } from '../../core/entry.ts';
import { type Clock, isoTime } from '../../core/time.ts';
import type { Outbound } from '../outbound/outbound.ts';
import type { Accounts } from '../replies/request.ts';
import { type SendOptions, type Sent, send } from '../replies/send.ts';
import { type Notice, type NoticeParts, noticeOf, requestOf, targetName } from './notice.ts';
import type { Rule } from './rule.ts';
import type { Firing } from './watch.ts';

export interface OutboxOptions {
  readonly parts: NoticeParts;
  readonly accounts: Pick<Accounts, 'slack' | 'slackWebhook'>;
  readonly outbound: Outbound;
  readonly clock: Clock;
  readonly log: { warn(message: string): void };
  /** As it is now; undefined when it is deleted. */
  readonly rule: (id: string) => Promise<Rule | undefined>;
  /** Write down what waits. A notice is sent after that, so that a kill repeats it rather than loses it. */
  readonly keep: () => Promise<void>;
  /** It went nowhere. */
  readonly dropped: (ruleId: string, fault: { at: string; reason: string }) => void;
}

/** A notice that is not yet with all its targets. */
interface Waiting {
  readonly id: string;
  readonly ruleId: string;
  readonly firing: Firing;
  readonly missed: number;
  /** Marks of targets that have it, or will never have it. */
  readonly done: string[];
}

/** Notices that may wait; beyond that the newest goes nowhere. */
const WAITING = 100;
const TRIES = 6;
const REDIRECTS = 3;
const CLOSE_MS = 2_000;

/**
 * Notices on their way: written down, then sent to each target of the rule. A target gets one after the other and waits for no
 * other target. What is refused, or fails again and again, is warned of and counted.
 */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #waiting = new Map<string, Waiting>();
  /** The last sending to each target. */
  readonly #last = new Map<string, Promise<void>>();
  readonly #under = new Set<Promise<void>>();
  readonly #stop = new AbortController();
  #closed = false;

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  add(ruleId: string, firing: Firing, missed: number): void {
    if (this.#waiting.size >= WAITING) this.#drop(ruleId, `${WAITING} notices wait already`);
    else this.#take({ id: randomUUID(), ruleId, firing, missed, done: [] });
  }

  write(): Json {
    return [...this.#waiting.values()].map(({ id, ruleId, firing, missed, done }): Json => {
      const { atMs, count, taskIds, lines } = firing;
      return {
        id,
        ruleId,
        missed,
        done: [...done],
        atMs,
        count,
        taskIds: [...taskIds],
        lines: lines.map((l) => [...l]),
      };
    });
  }

  /** Go on with what was written. */
  read(saved: Json | undefined): void {
    if (!Array.isArray(saved)) return;
    // Nobody else writes it.
    type Written = Omit<Waiting, 'firing'> & Firing;
    for (const { id, ruleId, missed, done, ...firing } of saved as unknown as readonly Written[]) {
      this.#take({ id, ruleId, missed, done: [...done], firing });
    }
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    while (this.#under.size > 0) await Promise.all(this.#under);
  }

  /** Send what is under way, unless that takes too long; the rest stays written down. Safe to call twice. */
  async close(): Promise<void> {
    this.#closed = true;
    const timer = setTimeout(() => this.#stop.abort(), CLOSE_MS);
    await this.idle();
    clearTimeout(timer);
    this.#stop.abort();
  }

  #take(waiting: Waiting): void {
    this.#waiting.set(waiting.id, waiting);
    if (this.#closed) return;
    // Not before whoever fired has noted how far it came: what is written down has both or neither.
    const sending = Promise.resolve()
      .then(() => this.#send(waiting))
      .finally(() => this.#under.delete(sending));
    this.#under.add(sending);
  }

  async #send(waiting: Waiting): Promise<void> {
    const { id, ruleId, firing, missed, done } = waiting;
    const { parts, rule: ruleNamed, keep } = this.#options;
    try {
      await keep();
      const rule = await ruleNamed(ruleId);
      if (rule) {
        const notice = await noticeOf(parts, rule, { id, firing, missed });
        const left = rule.definition.to.filter((target) => !done.includes(markOf(target)));
        const sendings = left.map((target) => {
          return this.#inTurn(target, () => this.#sendTo(target, { rule, waiting, notice }));
        });
        await Promise.all(sendings);
        if (rule.definition.to.some((target) => !done.includes(markOf(target)))) return;
      }
      this.#waiting.delete(id);
    } catch (error) {
      this.#waiting.delete(id);
      this.#drop(ruleId, error instanceof Error ? error.message : String(error));
    }
  }

  async #inTurn(target: AlertTarget, work: () => Promise<void>): Promise<void> {
    const mark = markOf(target);
    const turn = (this.#last.get(mark) ?? Promise.resolve()).then(work);
    this.#last.set(mark, turn);
    await turn.finally(() => {
      if (this.#last.get(mark) === turn) this.#last.delete(mark);
    });
  }

  async #sendTo(
    target: AlertTarget,
    { rule, waiting, notice }: { rule: Rule; waiting: Waiting; notice: Notice },
  ): Promise<void> {
    const { signal } = this.#stop;
    if (signal.aborted) return;
    const { accounts, outbound } = this.#options;
    const reply = requestOf(notice, target, accounts);
    const how = { ...howTo(target, rule), outbound, tries: TRIES, signal };
    const sent: Sent = reply.ok ? await send(reply.request, how) : reply;
    if (!sent.ok && sent.stopped) return;
    waiting.done.push(markOf(target));
    if (!sent.ok) this.#drop(waiting.ruleId, `${targetName(target)}: ${wordOf(sent.reason)}`);
  }

  #drop(ruleId: string, reason: string): void {
    const { clock, log, dropped } = this.#options;
    dropped(ruleId, { at: isoTime(clock.now()), reason });
    log.warn(`a notice of the alert ${ruleId} went nowhere: ${reason}`);
  }
}

/** Send a notice that says that it is a test, once to each target. */
export async function sendTest(
  rule: Rule,
  {
    parts,
    accounts,
    outbound,
    nowMs,
  }: Pick<OutboxOptions, 'parts' | 'accounts' | 'outbound'> & { readonly nowMs: number },
): Promise<readonly AlertDelivery[]> {
  const firing = { atMs: nowMs, count: 0, taskIds: [], lines: [] };
  const notice = await noticeOf(parts, rule, { id: randomUUID(), firing, test: true });
  const tried = rule.definition.to.map(async (target) => {
    const reply = requestOf(notice, target, accounts);
    const sent = reply.ok ? await send(reply.request, { ...howTo(target, rule), outbound }) : reply;
    return { target: targetName(target), ok: sent.ok, reason: sent.ok ? null : wordOf(sent.reason) };
  });
  return Promise.all(tried);
}

/** Slack and the targets of the config file are the settings' word; the others came by the API. */
function howTo(target: AlertTarget, { fixed }: Rule): SendOptions {
  if ('slack' in target) return { namedBy: 'settings', isSlack: true };
  return { namedBy: fixed ? 'settings' : 'others', redirects: REDIRECTS };
}

/** Tells a target from others without its secrets. */
function markOf(target: AlertTarget): string {
  return createHash('sha256')
    .update('slack' in target ? `slack ${target.slack}` : target.webhook)
    .digest('hex')
    .slice(0, 12);
}

function wordOf(reason: string): string {
  return reason === 'no_token' ? 'neither SLACK_BOT_TOKEN nor SLACK_WEBHOOK_URL is set' : reason;
}
