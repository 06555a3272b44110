import { ulid } from 'ulid';
import { asTrailError, TrailError } from '../core/error.ts';
import { RETRY_FIRST_MS, RETRY_MAX_MS } from '../core/limits.ts';
import { lossNote } from '../core/loss.ts';
import { type Drained, drain, mayRetry, perform, type Refusal } from './delivery.ts';
import type { Spool, SpoolCall } from './spool.ts';
import type { Target } from './target.ts';

export interface CourierOptions {
  readonly spool: Spool;
  /** The store as it was found at the start; undefined when it could not be reached. */
  readonly target: Target | undefined;
  /** Look for the store again. A server may be back at another address. */
  readonly reopen: () => Promise<Target | undefined>;
  /** Told once for each spell that the store is away, with the reason. */
  readonly onAway: (error: TrailError) => void;
}

/** What a run leaves behind. */
export interface Leftovers {
  readonly left: number;
  readonly lostLines: number;
  /** The task's start or end, when there was no room for it. */
  readonly lostCalls: readonly SpoolCall['call'][];
  readonly refused: readonly Refusal[];
}

/** How a try to deliver went: nothing is kept any more, another process is at it, or the store is away. */
type Way = 'free' | 'busy' | 'away';

const BUSY_MS = 50;
/** Longest time that one call may take before it is rather kept on disk. */
const CALL_MS = 10_000;

/**
 * Brings one run's calls to the store, in order, whatever happens to the store. A courier is
 *
 *   direct    each call goes to the store and is waited for
 *   keeping   the store is away or too slow: calls go to the spool at once, and from there to the store as soon as it takes
 *             them; when the spool is empty the courier is direct again
 *
 * A call that the store refuses for good is set aside and told; it never stops those that follow.
 */
export class Courier {
  readonly #options: CourierOptions;
  readonly #spool: Spool;
  #target: Target | undefined;
  #keeping: boolean;
  /** Ends the wait for the direct call under way. */
  #stopWaiting: ((fault: TrailError) => void) | undefined;
  #draining: Promise<Way> | undefined;
  #retry: NodeJS.Timeout | undefined;
  #delayMs = RETRY_FIRST_MS;
  #lostLines = 0;
  #untoldLines = 0;
  readonly #lostCalls: SpoolCall['call'][] = [];
  readonly #refused: Refusal[] = [];

  constructor(options: CourierOptions) {
    this.#options = options;
    this.#spool = options.spool;
    this.#target = options.target;
    this.#keeping = options.target === undefined;
    if (this.#keeping) this.#retryLater();
  }

  /** The store, while it takes calls. */
  get target(): Target | undefined {
    return this.#keeping ? undefined : this.#target;
  }

  /** Bring a call to the store, or to disk. Never rejects: what cannot even be kept is counted. */
  async deliver(call: SpoolCall): Promise<void> {
    const noted = call.call === 'append' && this.#untoldLines > 0 ? withNote(call, this.#untoldLines) : call;
    if (this.#keeping || this.#target === undefined) {
      this.#keep(noted);
      return;
    }
    try {
      await this.#withinTime(perform(this.#target, noted));
      if (noted !== call) this.#untoldLines = 0;
    } catch (error) {
      const fault = asTrailError(error);
      if (mayRetry(fault)) this.#goAway(fault, noted);
      else this.#setAside(noted, fault);
    }
  }

  /** Keep the call under way on disk rather than wait for it: there is no more room for those behind it. */
  giveUp(): void {
    this.#stopWaiting?.(new TrailError('buffer_full', 'lines come faster than the store takes them'));
  }

  /** Deliver what is kept, as long as the store takes it and `signal` does not say stop. */
  async finish(signal: AbortSignal): Promise<Leftovers> {
    const stopped = new Promise<'away'>((resolve) => {
      if (signal.aborted) resolve('away');
      signal.addEventListener('abort', () => resolve('away'), { once: true });
    });
    // A try that began before the last call was kept may have missed it.
    await Promise.race([this.#draining, stopped]);
    for (let way: Way = 'busy'; this.#keeping && way === 'busy'; ) {
      way = await Promise.race([this.#drain(), stopped]);
      if (way === 'busy') await Promise.race([pause(BUSY_MS), stopped]);
    }
    clearTimeout(this.#retry);
    const left = this.#keeping ? this.#spool.count : 0;
    return { left, lostLines: this.#lostLines, lostCalls: this.#lostCalls, refused: this.#refused };
  }

  /** Let go of the store, the one found later included. */
  async close(): Promise<void> {
    clearTimeout(this.#retry);
    await this.#target?.close();
  }

  #withinTime(done: Promise<void>): Promise<void> {
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => reject(new TrailError('store_unavailable', `the store took longer than ${CALL_MS / 1000} s`)),
      CALL_MS,
    );
    this.#stopWaiting = reject;
    return Promise.race([done, late]).finally(() => {
      clearTimeout(timer);
      this.#stopWaiting = undefined;
    });
  }

  #goAway(fault: TrailError, call: SpoolCall): void {
    this.#keeping = true;
    if (fault.code !== 'buffer_full') this.#options.onAway(fault);
    this.#keep(call);
    this.#retryLater();
  }

  #keep(call: SpoolCall): void {
    if (this.#spool.add(call)) {
      if (call.call === 'append') this.#untoldLines = 0;
    } else if (call.call === 'append') {
      const lines = call.body.split('\n').length - (this.#untoldLines > 0 ? 1 : 0);
      this.#lostLines += lines;
      this.#untoldLines += lines;
    } else {
      this.#lostCalls.push(call.call);
    }
  }

  #setAside(call: SpoolCall, error: TrailError): void {
    const path = this.#spool.setAside(call);
    if (path === undefined && call.call === 'append') this.#lostLines += call.body.split('\n').length;
    else this.#refused.push({ path: path ?? this.#spool.dir, error });
  }

  #retryLater(): void {
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => void this.#drain(), this.#delayMs);
    // The run waits for its child, not for the store.
    this.#retry.unref();
    this.#delayMs = Math.min(this.#delayMs * 2, RETRY_MAX_MS);
  }

  #drain(): Promise<Way> {
    clearTimeout(this.#retry);
    this.#draining ??= this.#drainOnce().finally(() => {
      this.#draining = undefined;
    });
    return this.#draining;
  }

  async #drainOnce(): Promise<Way> {
    const drained = await this.#drained();
    this.#refused.push(...(drained?.refused ?? []));
    if (drained && drained.delivered > 0) this.#delayMs = RETRY_FIRST_MS;
    // No call comes between this look and the change: both are in one step.
    if (drained && !drained.fault && this.#spool.count === 0) {
      this.#keeping = false;
      this.#delayMs = RETRY_FIRST_MS;
      return 'free';
    }
    this.#retryLater();
    return drained && !drained.fault ? 'busy' : 'away';
  }

  async #drained(): Promise<Drained | undefined> {
    try {
      const target = await this.#reached();
      return target && (await drain(this.#spool.dir, target));
    } catch {
      // Still away: the next try is under way.
      return undefined;
    }
  }

  /** A directory stays what it is; a server may have come back elsewhere. */
  async #reached(): Promise<Target | undefined> {
    if (this.#target?.kind === 'directory') return this.#target;
    const found = await this.#options.reopen();
    if (found === undefined) return undefined;
    await this.#target?.close();
    this.#target = found;
    return found;
  }
}

function pause(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs));
}

/** The lines with one in front that says how many are missing there. The key is new: this is another batch now. */
function withNote(call: SpoolCall, lost: number): SpoolCall {
  const note = { timestamp: Date.now(), ...lossNote(lost, 'there was no room to keep them') };
  return { ...call, key: ulid(), body: `${JSON.stringify(note)}\n${call.body}` };
}
