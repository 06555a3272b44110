import type { Json } from '../core/entry.ts';

/**
 * Secrets leave a text before it is stored, shown or spooled: known token shapes (by prefix, alphabet and least length, so that
 * ordinary words and hashes stay), and values that were registered. Each becomes `[redacted:<kind>]`.
 */
export interface Redactor {
  mask(text: string): string;
  /** The same for JSON text, which stays JSON: the texts inside are masked, keys too. */
  maskJson(json: string): string;
  /** Hide this value wherever it stands. Values under 8 characters are refused: they would hide ordinary words. */
  register(value: string): boolean;
  /** How many secrets were replaced so far. */
  readonly count: number;
}

const LEAST_CHARS = 8;
const REGISTERED_VALUES = 1_000;

/** Shapes of issued tokens, each from its issuer's public description; see docs/security.md. */
const SHAPES: readonly (readonly [kind: string, pattern: string])[] = [
  ['aws-key', '\\b(?:AKIA|ASIA)[A-Z0-9]{16}\\b'],
  ['github-token', '\\bgh[pousr]_[A-Za-z0-9]{36,255}|\\bgithub_pat_[A-Za-z0-9_]{22,255}'],
  ['gitlab-token', '\\bglpat-[A-Za-z0-9_-]{20,255}'],
  ['slack-token', '\\bxox[abeoprs]-[A-Za-z0-9-]{10,255}|\\bxapp-[0-9]-[A-Za-z0-9-]{10,255}'],
  ['stripe-key', '\\b(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{16,255}|\\bwhsec_[A-Za-z0-9]{24,255}'],
  ['anthropic-key', '\\bsk-ant-[A-Za-z0-9_-]{20,255}'],
  ['openai-key', '\\bsk-(?:proj-|svcacct-|admin-)[A-Za-z0-9_-]{20,255}|\\bsk-[A-Za-z0-9]{32,255}'],
  ['google-key', '\\bAIza[A-Za-z0-9_-]{35}'],
  ['npm-token', '\\bnpm_[A-Za-z0-9]{36}\\b'],
  ['pypi-token', '\\bpypi-AgE[A-Za-z0-9_-]{50,512}'],
  ['jwt', '(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{8,4096}\\.eyJ[A-Za-z0-9_-]{8,8192}\\.[A-Za-z0-9_-]{8,4096}'],
  ['private-key', '-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[^-"]{0,20000}(?:-----END [A-Z ]{0,40}PRIVATE KEY-----)?'],
];
/** A URL with a password: its user and host stay readable. */
const URL_PASSWORD = '(:\\/\\/[^\\s\\/:@"\']{0,255}:)[^\\s\\/:@"\']{1,255}@';

const SHAPE_SOURCE = [...SHAPES.map(([, pattern]) => `(${pattern})`), URL_PASSWORD].join('|');
/** Text that every shape contains one of; most lines hold none and are done after this one look. */
const HINT =
  /AKIA|ASIA|gh[pousr]_|github_pat_|glpat-|xox|xapp-|[sr]k_|whsec_|sk-|AIza|npm_|pypi-|eyJ|PRIVATE KEY|:\/\//;

/** A redactor of its own: what is registered in one is not known to another. */
export function createRedactor(values: readonly string[] = []): Redactor {
  const shapes = new RegExp(SHAPE_SOURCE, 'g');
  const registered = new Set<string>();
  let known: RegExp | undefined;
  let count = 0;
  const counted = (replacement: string): string => {
    count += 1;
    return replacement;
  };
  const redactor: Redactor = {
    get count() {
      return count;
    },
    mask(text) {
      const masked = known === undefined ? text : text.replace(known, () => counted('[redacted:registered]'));
      if (!HINT.test(masked)) return masked;
      return masked.replace(shapes, (_match, ...groups: unknown[]) => {
        const group = groups.findIndex((held) => typeof held === 'string');
        const kind = SHAPES[group]?.[0];
        return counted(kind ? `[redacted:${kind}]` : `${String(groups[group])}[redacted:url-password]@`);
      });
    },
    maskJson(json) {
      // Mostly there is nothing to hide, and a look at the whole is enough, unless escapes make texts look different from what
      // they are. A replacement in the JSON itself could tear an escape or take a quote along.
      const before = count;
      if (!json.includes('\\') && redactor.mask(json) === json) return json;
      count = before;
      const masked = JSON.stringify(maskedValue(JSON.parse(json) as Json, redactor));
      return count === before ? json : masked;
    },
    register(value) {
      if (value.length < LEAST_CHARS || registered.size >= REGISTERED_VALUES) return false;
      registered.add(value);
      // The longest first, so that a value that contains another is hidden whole.
      const longestFirst = [...registered].sort((a, b) => b.length - a.length);
      known = new RegExp(longestFirst.map((secret) => RegExp.escape(secret)).join('|'), 'g');
      return true;
    },
  };
  for (const value of values) redactor.register(value);
  return redactor;
}

/** A JSON value with every text in it masked, however deep, keys too. */
export function maskedValue(value: Json, redactor: Pick<Redactor, 'mask'>): Json {
  if (typeof value === 'string') return redactor.mask(value.toWellFormed());
  if (Array.isArray(value)) return value.map((held: Json) => maskedValue(held, redactor));
  if (typeof value !== 'object' || value === null) return value;
  // Entries, so that a key `__proto__` stays a key.
  const masked: [string, Json][] = [];
  // Two secrets of a kind as keys would fall together, and one value with them. Where to go on counting is remembered: a search
  // from 2 for each of many like names would take quadratic time.
  const lastNumber = new Map<string, number>();
  for (const [key, held] of Object.entries(value)) {
    const name = redactor.mask(key.toWellFormed());
    let unique = name;
    let number = lastNumber.get(name) ?? 0;
    while (lastNumber.has(unique)) unique = `${name} ${++number + 1}`;
    lastNumber.set(name, number);
    if (unique !== name) lastNumber.set(unique, 0);
    masked.push([unique, maskedValue(held, redactor)]);
  }
  return Object.fromEntries(masked);
}
