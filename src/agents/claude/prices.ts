/** USD per million tokens (https://platform.claude.com/docs/en/about-claude/pricing, October 2026). */
interface Price {
  readonly input: number;
  readonly output: number;
  readonly cacheRead: number;
  /** Requests with a longer prompt, cached part included, pay this price for all their tokens. */
  readonly long?: { readonly overTokens: number; readonly price: Price };
}

/** Tokens of one request, each class apart. */
export interface Tokens {
  readonly input: number;
  readonly output: number;
  readonly cacheRead: number;
  /** Written to the cache, kept for five minutes or for an hour. */
  readonly cacheWrite: number;
  readonly cacheWriteHour: number;
}

const CACHE_WRITE = 1.25;
const CACHE_WRITE_HOUR = 2;

const FABLE_5_1: Price = { input: 10, output: 50, cacheRead: 0.25 };
const FABLE_5: Price = { input: 10, output: 50, cacheRead: 1 };
const OPUS_5: Price = { input: 5, output: 25, cacheRead: 0.5 };
const OPUS_4: Price = { input: 15, output: 75, cacheRead: 1.5 };
const SONNET_4: Price = { input: 3, output: 15, cacheRead: 0.3 };

const PRICES: ReadonlyMap<string, Price> = new Map([
  ['fable 5.1', FABLE_5_1],
  ['mythos 5.1', FABLE_5_1],
  ['fable 5.0', FABLE_5],
  ['mythos 5.0', FABLE_5],
  ['opus 5.5', { input: 4, output: 20, cacheRead: 0.2 }],
  ['opus 5.0', OPUS_5],
  ['opus 4.8', OPUS_5],
  ['opus 4.7', OPUS_5],
  ['opus 4.6', OPUS_5],
  ['opus 4.5', OPUS_5],
  ['opus 4.1', OPUS_4],
  ['opus 4.0', OPUS_4],
  ['opus 3.0', OPUS_4],
  ['sonnet 5.5', { input: 2, output: 10, cacheRead: 0.1 }],
  ['sonnet 5.0', { input: 2, output: 10, cacheRead: 0.2 }],
  ['sonnet 4.6', SONNET_4],
  ['sonnet 4.5', SONNET_4],
  ['sonnet 4.0', SONNET_4],
  ['sonnet 3.7', SONNET_4],
  ['sonnet 3.5', SONNET_4],
  [
    'haiku 5.5',
    {
      ...{ input: 0.1, output: 0.5, cacheRead: 0.01 },
      long: { overTokens: 100_000, price: { input: 0.5, output: 2.5, cacheRead: 0.05 } },
    },
  ],
  ['haiku 4.5', { input: 1, output: 5, cacheRead: 0.1 }],
  ['haiku 3.5', { input: 0.8, output: 4, cacheRead: 0.08 }],
]);

/** `claude-opus-4-8`, `us.anthropic.claude-sonnet-4-5-20250929-v1:0`; a date after the version is no part of it. */
const NEW_NAME = /(opus|sonnet|haiku|fable|mythos)-(\d+)(?:-(\d{1,2}))?(?!\d)/;
/** `claude-3-5-haiku-20241022` */
const OLD_NAME = /-(\d)(?:-(\d))?-(opus|sonnet|haiku)/;

/** What a request cost, in millionths of a USD, as well as the list knows; undefined for a model that is not in it. */
export function microUsd(model: string, tokens: Tokens): number | undefined {
  const price = PRICES.get(versionOf(model));
  if (!price) return undefined;
  const { input, output, cacheRead, cacheWrite, cacheWriteHour } = tokens;
  const { long } = price;
  const prompt = input + cacheRead + cacheWrite + cacheWriteHour;
  const paid = long && prompt > long.overTokens ? long.price : price;
  const written = cacheWrite * CACHE_WRITE + cacheWriteHour * CACHE_WRITE_HOUR;
  return (input + written) * paid.input + cacheRead * paid.cacheRead + output * paid.output;
}

function versionOf(model: string): string {
  const [, family, major, minor] = NEW_NAME.exec(model) ?? [];
  if (family) return `${family} ${major}.${minor ?? 0}`;
  const [, oldMajor, oldMinor, oldFamily] = OLD_NAME.exec(model) ?? [];
  return `${oldFamily} ${oldMajor}.${oldMinor ?? 0}`;
}
