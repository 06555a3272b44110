import type { Secret } from '../../core/redaction.ts';
import { hasBeginning } from './hints.ts';
import { PRIVATE_KEY, pemSpans } from './pem.ts';

/**
 * What may stand before a token: no letter that could belong to it. An escape of JSON, a URL or a colour ends in a letter, and is
 * none: `\n`, `%3D`, `\u001b[31m`, and the same where it is no text but the sequence itself.
 */
const EDGE =
  '(?:(?<![A-Za-z0-9_-])|(?<=\\\\[bfnrtv]|\\\\u[0-9A-Fa-f]{4}|%[0-9A-Fa-f]{2}|\\[[0-9;]{0,20}m|\u001b[^A-Za-z]{0,20}[A-Za-z]))';
/** The same where a hyphen may stand before it. */
const WORD = EDGE.replace('_-]', '_]');

interface Shape {
  readonly kind: string;
  /** What comes before the secret and stays. */
  readonly lead: string;
  readonly secret: string;
  /** The secret while it is not ended: any start of it that says something. */
  readonly start: string;
}

/** Prefixes, each with letters of an alphabet. A prefix comes first, so that what stands before it is looked at only where it is. */
function tokens(kind: string, ...shapes: readonly (readonly [prefix: string, letters: string])[]): Shape {
  const begun = (prefix: string): string => `${prefix}(?<=${WORD}${prefix})`;
  return {
    ...{ kind, lead: '' },
    secret: shapes.map(([prefix, letters]) => begun(prefix) + letters).join('|'),
    start: shapes.map(([prefix, letters]) => begun(prefix) + letters.replace(/\{.*$/, '*')).join('|'),
  };
}

/** Shapes of issued tokens, each from its issuer's public description; docs/redaction.md has them for people. */
const SHAPES: readonly Shape[] = [
  tokens('aws-key', ['(?:AKIA|ASIA|ABIA|ACCA)', '[A-Z0-9]{16}(?![A-Za-z0-9_])']),
  {
    kind: 'aws-secret',
    lead: '(?:AWS_SECRET(?:_ACCESS)?_KEY|aws_?secret_?(?:access_?)?key|[Ss]ecretAccessKey)(?:[\\\\"\']{0,4}[ \\t]{0,4}[=:][ \\t]{0,4}|[ \\t]{1,4})[\\\\"\']{0,4}',
    secret: '[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+])',
    start: '[A-Za-z0-9/+]*',
  },
  tokens('github-token', ['gh[pousr]_', '[A-Za-z0-9]{36,}'], ['github_pat_', '[A-Za-z0-9_]{22,}']),
  tokens('gitlab-token', ['gl(?:pat|dt|rt|ptt|ft|imt|agent|cbt|oas|soat)-', '[A-Za-z0-9_.=-]{20,}']),
  tokens('slack-token', ['xox[abeoprs]-', '[A-Za-z0-9-]{10,}'], ['xapp-[0-9]-', '[A-Za-z0-9-]{10,}']),
  tokens('stripe-key', ['[sr]k_(?:live|test)_', '[A-Za-z0-9]{16,}'], ['whsec_', '[A-Za-z0-9+/=]{24,}']),
  tokens('anthropic-key', ['sk-ant-', '[A-Za-z0-9_-]{20,}']),
  tokens('openai-key', ['sk-(?:proj|svcacct|admin)-', '[A-Za-z0-9_-]{20,}'], ['sk-', '[A-Za-z0-9]{32,}']),
  tokens(
    'google-key',
    ['AIza', '[A-Za-z0-9_-]{35,}'],
    ['GOCSPX-', '[A-Za-z0-9_-]{28,}'],
    ['ya29\\.', '[A-Za-z0-9_.-]{30,}'],
  ),
  tokens('npm-token', ['npm_', '[A-Za-z0-9]{36}(?![A-Za-z0-9_])']),
  tokens('pypi-token', ['pypi-AgE', '[A-Za-z0-9_-]{50,}']),
  // Our own, and what stands in a link to a task: only their digests are kept, so they cannot be registered after a restart.
  tokens('tasktrail-token', ['tt_', '[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])'], ['tts_shr_', '[A-Za-z0-9_.-]{56}']),
  {
    ...{ kind: 'jwt', lead: '' },
    secret: `eyJ(?<=${EDGE}eyJ)[A-Za-z0-9_-]{8,4096}\\.eyJ[A-Za-z0-9_-]{8,8192}\\.[A-Za-z0-9_-]{8,}`,
    start: 'eyJ[A-Za-z0-9_-]*(?:\\.[A-Za-z0-9_-]*){0,2}',
  },
  {
    // A URL with a password: its user and host stay readable. In JSON its slashes may be escaped.
    kind: 'url-password',
    lead: ':\\\\?/\\\\?/[^\\s/:@"\'\\\\]{0,255}:',
    secret: '(?!\\[redacted:[a-z0-9-]+\\]@)[^\\s/"\']{1,255}(?=@)',
    start: '[^\\s/"\']*',
  },
];
/** Kinds that are known without being told. */
export const KINDS: readonly string[] = [...SHAPES.map(({ kind }) => kind), PRIVATE_KEY];

const SOURCE = SHAPES.map(({ lead, secret }) => `(${lead})(${secret})`).join('|');
const STARTS = SHAPES.map(({ lead, start }) => `(${lead})(?:${start})`).join('|');
/** Text that every shape contains one of: a closer look at lines that have a beginning of one. */
const HINT =
  /PRIV|AKIA|ASIA|ABIA|ACCA|gh[pousr]_|hub_|gl(?:pat|dt|rt|ptt|ft|imt|agent|cbt|oas|soat)-|xox[abeoprs]-|xapp|[sr]k_[lt]|hsec|sk-(?:ant|proj|svcacct|admin)-|sk-[A-Za-z0-9]{32}|AIza|GOCS|ya29|npm_|pypi|tt_[A-Za-z0-9_-]{43}|tts_|eyJ[A-Za-z0-9_-]{8}|AWS_|aws_|awss|etAc|:\\?\/\\?\/[^\s/@]{0,511}@/;

/** Finds tokens by their shape. Its regular expressions have a place of their own in a text, so one is made for each redactor. */
export class Shapes {
  readonly #all = new RegExp(SOURCE, 'g');

  find(text: string, found: Secret[]): void {
    if (!hasBeginning(text) || !HINT.test(text)) return;
    if (text.includes('PRIVATE KEY')) pemSpans(text, found);
    this.#all.lastIndex = 0;
    for (let match = this.#all.exec(text); match; match = this.#all.exec(text)) {
      const at = SHAPES.findIndex((_shape, index) => match?.[2 * index + 2] !== undefined);
      const start = match.index + (match[2 * at + 1]?.length ?? 0);
      const kind = SHAPES[at]?.kind ?? '';
      found.push({ start, end: match.index + match[0].length, kind, by: 'shape', rule: null });
    }
  }
}

const UNENDED = new RegExp(`(?:${STARTS})$`);

/** Where in a text, of which only the end is looked at, a token begins that may not have ended; -1 for nowhere. */
export function unendedToken(text: string): number {
  const match = UNENDED.exec(text);
  if (!match) return -1;
  return match.index + (match.slice(1).find((lead) => lead !== undefined)?.length ?? 0);
}
