import type { JsonObject } from '../../core/entry.ts';
import { usd } from './costs.ts';
import { count } from './text.ts';
import { duration } from './time.ts';

const WORDS: readonly (readonly [string, string, (value: number) => string])[] = [
  ['cost_usd', 'Cost', usd],
  ['input_tokens', 'Tokens in', count],
  ['output_tokens', 'Tokens out', count],
  ['cache_read_tokens', 'Read from cache', count],
  ['cache_creation_tokens', 'Written to cache', count],
  ['num_turns', 'Turns', count],
  ['duration_seconds', 'Duration', (seconds) => duration(seconds * 1_000)],
];

/** The figures of a task that are known, in words. */
export function figuresOf(metrics: JsonObject): readonly (readonly [string, string])[] {
  return WORDS.flatMap(([name, word, told]) => {
    const value = metrics[name];
    return typeof value === 'number' ? [[word, told(value)] as const] : [];
  });
}
