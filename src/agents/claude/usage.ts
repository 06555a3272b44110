import type { Metrics } from '../../core/task.ts';
import { type Fields, fieldsOf, figureOf, idOf } from '../json.ts';
import { microUsd, type Tokens } from './prices.ts';

/** Messages whose figures may still change. Those further back are counted and forgotten. */
const MESSAGES = 1_000;
const NOTHING: Tokens = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0, cacheWriteHour: 0 };

interface Counted {
  readonly model: string;
  readonly tokens: Tokens;
  readonly microUsd: number;
}

type Figures = Omit<Metrics, 'durationSeconds'>;
type Known = { [K in keyof Figures]?: number };

/**
 * Figures of a run while it runs. A message comes in several events that all bear its usage, so it counts once, by its id, as it
 * was told last. A `result` then says what is true, and what comes after it is counted on top.
 */
export class Usage {
  readonly #messages = new Map<string, Counted>();
  #tokens: Tokens = NOTHING;
  #microUsd = 0;
  /** A model without a known price has worked: there is no cost to tell until the result does. */
  #unpriced = false;
  #turns = 0;
  #seen = false;
  #revision = 0;
  /** What a result said, and what had been counted by then. */
  #settled: Known = {};
  #before: Known = {};

  /** A message's usage. Fields that it lacks keep what was told before. */
  add(usage: Fields, message: { readonly id: unknown; readonly model: unknown }): void {
    const id = idOf(message.id);
    const before = id === undefined ? undefined : this.#messages.get(id);
    const model = idOf(message.model) ?? before?.model ?? '';
    const tokens = tokensOf(usage, before?.tokens ?? NOTHING);
    const cost = microUsd(model, tokens);
    if (cost === undefined && Object.values(tokens).some((count) => count > 0)) this.#unpriced = true;
    const counted = { model, tokens, microUsd: cost ?? 0 };
    this.#seen = true;
    this.#revision += 1;
    this.#tokens = changed(this.#tokens, before?.tokens ?? NOTHING, tokens);
    this.#microUsd += counted.microUsd - (before?.microUsd ?? 0);
    if (id !== undefined) this.#keep(id, counted);
  }

  /** The main agent's next message: a turn. */
  turn(): void {
    this.#turns += 1;
    this.#revision += 1;
  }

  /** Grows whenever the figures may have changed: most lines change none. */
  get revision(): number {
    return this.#revision;
  }

  get turns(): number {
    return this.#turns;
  }

  /** The agent's own figures of the run so far. */
  settle(figures: Known): void {
    const counted = this.#counted();
    this.#settled = { ...this.metrics, ...defined(figures) };
    this.#before = counted;
    this.#revision += 1;
  }

  /** What is known of the run. */
  get metrics(): Known {
    const counted = this.#counted();
    const names = new Set([...Object.keys(counted), ...Object.keys(this.#settled)]) as ReadonlySet<keyof Figures>;
    const known = Array.from(names, (name) => [name, this.#figure(name, counted)] as const);
    return Object.fromEntries(known.filter(([, figure]) => figure !== undefined));
  }

  #figure(name: keyof Figures, counted: Known): number | undefined {
    const settled = this.#settled[name];
    if (settled === undefined) return figureOf(counted[name]);
    // To the tenth decimal: sums of floating-point numbers should not show as such.
    const since = Math.max(0, (counted[name] ?? 0) - (this.#before[name] ?? 0));
    return figureOf(Number((settled + since).toFixed(10)));
  }

  #counted(): Known {
    const { input, output, cacheRead, cacheWrite, cacheWriteHour } = this.#tokens;
    return {
      ...(this.#seen && {
        inputTokens: input,
        outputTokens: output,
        cacheReadTokens: cacheRead,
        cacheCreationTokens: cacheWrite + cacheWriteHour,
      }),
      ...(this.#seen && !this.#unpriced && { costUsd: Number((this.#microUsd / 1e6).toFixed(10)) }),
      ...(this.#turns > 0 && { numTurns: this.#turns }),
    };
  }

  #keep(id: string, counted: Counted): void {
    this.#messages.delete(id);
    this.#messages.set(id, counted);
    const [oldest] = this.#messages.keys();
    if (this.#messages.size > MESSAGES && oldest !== undefined) this.#messages.delete(oldest);
  }
}

function tokensOf(usage: Fields, before: Tokens): Tokens {
  const written = figureOf(usage.cache_creation_input_tokens);
  const hour = figureOf(fieldsOf(usage.cache_creation)?.ephemeral_1h_input_tokens);
  const cacheWriteHour = Math.min(hour ?? before.cacheWriteHour, written ?? Number.POSITIVE_INFINITY);
  return {
    input: figureOf(usage.input_tokens) ?? before.input,
    // What comes before a message's end is a placeholder, and must not take back the figure of its end.
    output: Math.max(figureOf(usage.output_tokens) ?? 0, before.output),
    cacheRead: figureOf(usage.cache_read_input_tokens) ?? before.cacheRead,
    cacheWrite: written === undefined ? before.cacheWrite : written - cacheWriteHour,
    cacheWriteHour,
  };
}

function changed(sum: Tokens, before: Tokens, after: Tokens): Tokens {
  return {
    input: sum.input - before.input + after.input,
    output: sum.output - before.output + after.output,
    cacheRead: sum.cacheRead - before.cacheRead + after.cacheRead,
    cacheWrite: sum.cacheWrite - before.cacheWrite + after.cacheWrite,
    cacheWriteHour: sum.cacheWriteHour - before.cacheWriteHour + after.cacheWriteHour,
  };
}

function defined(figures: Known): Known {
  return Object.fromEntries(Object.entries(figures).filter(([, figure]) => figure !== undefined));
}
