import type { Json } from '../../core/entry.ts';
import { TASK_JSON_BYTES } from '../../core/limits.ts';
import { toSnake } from '../../core/wire.ts';
import { type Fields, fieldsOf, figureOf, fitted, listOf, oneLine, textOf } from '../json.ts';
import type { Made } from '../made.ts';
import type { Usage } from './usage.ts';

const REASON_CHARS = 4_000;
const MODELS = 20;
const REASONS: ReadonlyMap<unknown, string> = new Map([
  ['error_max_turns', 'turn limit reached'],
  ['error_max_budget_usd', 'budget used up'],
  ['error_during_execution', 'the run failed'],
  ['error_max_structured_output_retries', 'no output of the wanted structure'],
]);

/** How the agent itself says that it ended. */
export interface Outcome {
  readonly success: boolean;
  readonly result: Json;
  readonly error: string | null;
}

/** A result's own part of the usage of several results. */
interface Sums {
  readonly inputTokens: number | undefined;
  readonly outputTokens: number | undefined;
  readonly cacheReadTokens: number | undefined;
  readonly cacheCreationTokens: number | undefined;
}

/**
 * The `result` events. A run has one, and one more each time a background task reports back: those follow up on the answer and do
 * not take its place. Cost and `modelUsage` are of the whole run and include sub-agents; `usage` and `num_turns` are of one result.
 * Any field may be missing.
 */
export class Results {
  readonly #usage: Usage;
  #answer: Outcome | undefined;
  #followUp: Outcome | undefined;
  #costUsd: number | undefined;
  #turns: number | undefined;
  #sums: Sums | undefined;

  constructor(usage: Usage) {
    this.#usage = usage;
  }

  /** Undefined when there was no result. */
  get outcome(): Outcome | undefined {
    return this.#answer ?? this.#followUp;
  }

  add(event: Fields): Made {
    const outcome = outcomeOf(event);
    if (fieldsOf(event.origin)?.kind === 'task-notification') this.#followUp = outcome;
    else this.#answer = outcome;
    this.#settle(event);
    const { subtype, duration_ms, duration_api_ms, stop_reason, terminal_reason, session_id, errors, origin } = event;
    const told = { subtype, duration_ms, duration_api_ms, stop_reason, terminal_reason, session_id, errors, origin };
    const text = textOf(event.result);
    return {
      type: 'result',
      level: outcome.success ? 'INFO' : 'ERROR',
      message:
        outcome.error ?? text ?? (event.structured_output === undefined ? 'Completed' : JSON.stringify(outcome.result)),
      metadata: {
        ...Object.fromEntries(Object.entries(told).filter(([, value]) => value !== undefined)),
        is_error: !outcome.success,
        metrics: toSnake(this.#usage.metrics),
        // Counted by the agent from a price list of its own: not what is billed.
        cost_estimate: true,
        ...(fieldsOf(event.modelUsage) && { model_usage: event.modelUsage }),
      },
    };
  }

  #settle(event: Fields): void {
    const cost = figureOf(event.total_cost_usd);
    if (cost !== undefined) this.#costUsd = Math.max(cost, this.#costUsd ?? 0);
    const turns = figureOf(event.num_turns);
    if (turns !== undefined) this.#turns = turns + (this.#turns ?? 0);
    const own = usageSums(event.usage);
    if (own) this.#sums = added(this.#sums, own);
    const sums = modelSums(event.modelUsage) ?? this.#sums;
    this.#usage.settle({ ...sums, costUsd: this.#costUsd, numTurns: this.#turns });
  }
}

/** The model that did most, as far as `modelUsage` tells. */
export function modelOf(event: Fields): string | undefined {
  const models = modelsOf(event.modelUsage);
  const cost = ([, usage]: readonly [string, Fields]) => figureOf(usage.costUSD) ?? 0;
  return models.toSorted((a, b) => cost(b) - cost(a))[0]?.[0];
}

function outcomeOf(event: Fields): Outcome {
  const { subtype, is_error, structured_output } = event;
  const text = textOf(event.result);
  const success = is_error !== true && (subtype === 'success' || (subtype === undefined && is_error === false));
  const result = fitted(structured_output ?? text ?? null, TASK_JSON_BYTES - 1_024);
  return { success, result, error: success ? null : reasonOf(event, text) };
}

function reasonOf(event: Fields, text: string | undefined): string {
  const { subtype, api_error_status } = event;
  const named = subtype === 'success' || subtype === undefined ? undefined : textOf(subtype);
  const errors = listOf(event.errors).flatMap((error) => textOf(error) ?? []);
  const code = figureOf(api_error_status);
  const kind =
    REASONS.get(subtype) ?? named ?? (code === undefined ? 'the agent reported an error' : `API error ${code}`);
  const detail = errors.slice(0, 20).join('; ') || text;
  return oneLine(detail ? `${kind}: ${detail}` : kind, REASON_CHARS);
}

function usageSums(value: unknown): Sums | undefined {
  const usage = fieldsOf(value);
  if (!usage) return undefined;
  return {
    inputTokens: figureOf(usage.input_tokens),
    outputTokens: figureOf(usage.output_tokens),
    cacheReadTokens: figureOf(usage.cache_read_input_tokens),
    cacheCreationTokens: figureOf(usage.cache_creation_input_tokens),
  };
}

function modelSums(value: unknown): Sums | undefined {
  const each = modelsOf(value).map(([, usage]) => ({
    inputTokens: figureOf(usage.inputTokens),
    outputTokens: figureOf(usage.outputTokens),
    cacheReadTokens: figureOf(usage.cacheReadInputTokens),
    cacheCreationTokens: figureOf(usage.cacheCreationInputTokens),
  }));
  return each.length === 0 ? undefined : each.reduce(added);
}

function modelsOf(value: unknown): readonly (readonly [string, Fields])[] {
  const entries = Object.entries(fieldsOf(value) ?? {}).slice(0, MODELS);
  return entries.flatMap(([name, usage]) => {
    const fields = fieldsOf(usage);
    return fields && name !== '' ? [[name, fields] as const] : [];
  });
}

function added(sums: Sums | undefined, own: Sums): Sums {
  return {
    inputTokens: plus(sums?.inputTokens, own.inputTokens),
    outputTokens: plus(sums?.outputTokens, own.outputTokens),
    cacheReadTokens: plus(sums?.cacheReadTokens, own.cacheReadTokens),
    cacheCreationTokens: plus(sums?.cacheCreationTokens, own.cacheCreationTokens),
  };
}

function plus(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined ? b : a + (b ?? 0);
}
