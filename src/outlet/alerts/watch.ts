import type { AlertState } from '../../core/alert.ts';
import type { Json, JsonObject } from '../../core/entry.ts';
import { isoTime } from '../../core/time.ts';
import type { Rule } from './rule.ts';

/** What is remembered for a notice. */
export const NOTICE_TASKS = 10;
export const NOTICE_LINES = 5;

/** What matched, and when it was enough. */
export interface Firing {
  readonly atMs: number;
  readonly count: number;
  readonly taskIds: readonly string[];
  readonly lines: readonly LinePlace[];
}

export type LinePlace = readonly [taskId: string, seq: number];

/** A window slides in so many steps: what leaves it, leaves at most a step late. */
const STEPS = 30;

/**
 * Counts what a rule finds, by the time at which it is found:
 *
 *   … | step | step | step (now) |     a line is counted in the step of now, and leaves with it
 *
 * When it fires the window is emptied: nothing is told of twice.
 */
export class Watch {
  #rule: Rule;
  #steps: [startMs: number, count: number][] = [];
  /** When each was seen last, the newest behind. */
  #tasks = new Map<string, number>();
  #lines: [taskId: string, seq: number, atMs: number][] = [];
  #coolUntilMs = 0;
  #firedMs: number | null = null;
  #fired = 0;
  #dropped = 0;
  #fault: { at: string; reason: string } | null = null;

  constructor(rule: Rule) {
    this.#rule = rule;
  }

  /** The rule was changed. Unless it counts the same as before it begins anew. */
  follow(rule: Rule): void {
    if (rule.stamp !== this.#rule.stamp) this.#empty();
    this.#rule = rule;
  }

  /** Count one; answers what to tell when it was enough. */
  seen(atMs: number, taskId: string, seq: number | null): Firing | null {
    this.#add(atMs, taskId, seq);
    if (atMs < this.#coolUntilMs) return null;
    const count = this.#count(atMs);
    if (count < this.#rule.definition.threshold) return null;
    const from = atMs - this.#windowMs;
    const taskIds = [...this.#tasks].flatMap(([id, seenMs]) => (seenMs > from ? [id] : [])).reverse();
    const lines = this.#lines.flatMap(([id, line, seenMs]): LinePlace[] => (seenMs > from ? [[id, line]] : []));
    this.#empty();
    this.#fired += 1;
    this.#firedMs = atMs;
    this.#coolUntilMs = atMs + this.#rule.definition.coolDownSeconds * 1000;
    return { atMs, count, taskIds, lines };
  }

  /** A notice went to nobody: too many, or a target that does not take it. */
  drop(fault: { at: string; reason: string } | null): void {
    this.#dropped += 1;
    if (fault) this.#fault = fault;
  }

  state(nowMs: number): AlertState {
    return {
      lastFiredAt: this.#firedMs === null ? null : isoTime(this.#firedMs),
      fired: this.#fired,
      count: this.#count(nowMs),
      coolDownUntil: this.#coolUntilMs > nowMs ? isoTime(this.#coolUntilMs) : null,
      lastFault: this.#fault,
      dropped: this.#dropped,
    };
  }

  write(): JsonObject {
    return {
      stamp: this.#rule.stamp,
      steps: this.#steps.map((step) => [...step]),
      tasks: [...this.#tasks].map((task) => [...task]),
      lines: this.#lines.map((line) => [...line]),
      cool: this.#coolUntilMs,
      last: this.#firedMs,
      fired: this.#fired,
      dropped: this.#dropped,
      fault: this.#fault,
    };
  }

  /** Go on from what was written. What a rule of another stamp counted is left out. */
  read(saved: JsonObject): void {
    this.#coolUntilMs = numberOf(saved.cool);
    this.#firedMs = typeof saved.last === 'number' ? saved.last : null;
    this.#fired = numberOf(saved.fired);
    this.#dropped = numberOf(saved.dropped);
    this.#fault = faultOf(saved.fault);
    if (saved.stamp !== this.#rule.stamp) return;
    // Nobody else writes it.
    this.#steps = listOf(saved.steps) as [number, number][];
    this.#tasks = new Map(listOf(saved.tasks) as [string, number][]);
    this.#lines = listOf(saved.lines) as [string, number, number][];
  }

  get #windowMs(): number {
    return this.#rule.definition.windowSeconds * 1000;
  }

  #empty(): void {
    this.#steps = [];
    this.#tasks = new Map();
    this.#lines = [];
  }

  #add(atMs: number, taskId: string, seq: number | null): void {
    const newest = this.#steps.at(-1);
    const stepMs = this.#windowMs / STEPS;
    if (newest && atMs < newest[0] + stepMs) {
      newest[1] += 1;
    } else {
      this.#steps = this.#steps.filter(([startMs]) => startMs > atMs - this.#windowMs - stepMs);
      this.#steps.push([atMs, 1]);
    }
    this.#tasks.delete(taskId);
    this.#tasks.set(taskId, atMs);
    if (this.#tasks.size > NOTICE_TASKS) this.#tasks.delete(this.#tasks.keys().next().value ?? '');
    if (seq !== null) this.#lines.push([taskId, seq, atMs]);
    if (this.#lines.length > NOTICE_LINES) this.#lines.shift();
  }

  #count(nowMs: number): number {
    // The newest moment that a step can hold counts for all of it.
    const from = nowMs - this.#windowMs - this.#windowMs / STEPS;
    return this.#steps.reduce((sum, [startMs, count]) => (startMs > from ? sum + count : sum), 0);
  }
}

function numberOf(value: Json | undefined): number {
  return typeof value === 'number' ? value : 0;
}

function listOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : [];
}

function faultOf(value: Json | undefined): { at: string; reason: string } | null {
  const { at, reason } = (value ?? {}) as { at?: unknown; reason?: unknown };
  return typeof at === 'string' && typeof reason === 'string' ? { at, reason } : null;
}
