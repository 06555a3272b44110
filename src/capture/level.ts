import { type Level, parseLevel } from '../core/level.ts';

/** Bytes of a line that are looked at; a level stands near its start. */
const HEAD_CHARS = 200;
/** A JSON line longer than this is not parsed for the sake of its level. */
const JSON_CHARS = 64 * 1024;

/** Every line that names a level holds one of these; the rest is done after this one look. */
const HINT = /debug|trace|info|notice|warn|err|fatal|crit|"?(?:level|severity|lvl)"?\s*[:=]|^[EWID]\d{4} /i;
// biome-ignore lint/suspicious/noControlCharactersInRegex: ESC begins the sequences that are taken out
const COLOUR = /\u001b\[[0-9;]*m/g;
const JSON_KEY = /"(?:level|severity|lvl)"\s*:/;
const LOGFMT = /(?:^|\s)(?:level|severity|lvl)=("?)([A-Za-z]+)\1(?=\s|$)/;
/** klog: a letter, the date, the time (https://github.com/kubernetes/klog). */
const KLOG = /^([EWID])\d{4} \d{2}:\d{2}:\d{2}/;
/**
 * What may stand before a level: a time, a number, something in brackets. Each alternative begins with a character of its own
 * and ends with its own kind of end, so that there is one way to read any text: a line cannot make the match take long.
 */
const HEADER = String.raw`^(?:[\d:.,\-+/TZ]+\s+|\[[^\]]{0,60}\]\s*|\([^)]{0,60}\)\s*|[|·•]\s+){0,8}`;
const WORDS = 'trace|debug|info|notice|warn|warning|err|error|fatal|critical|crit';
/** `[warn] …`, `<error> …`, `(info) …`: in brackets any case names a level. */
const BRACKETED = new RegExp(
  String.raw`^(?:[\d:.,\-+/TZ]+\s+|\[(?!\s*(?:${WORDS})\b)[^\]]{0,60}\]\s*){0,8}[[(<]\s*(?:[\d:.,\-+/TZ]+\s+)?(${WORDS})\b[^\])>]{0,60}[\])>]`,
  'i',
);
/** `error: …`, `Warning: …`, `error[E0308]: …`, `npm error …` and `npm ERR! …`: with a colon, or where npm speaks. */
const COLON = new RegExp(String.raw`${HEADER}(${WORDS})(?:\[[A-Za-z]\d+\]|\([^)]{0,40}\))?\s*:(?:\s|$|[\w-]+:)`, 'i');
const NPM = /^npm\s+(warn|error|err!|info|notice)(?=\s|$)/i;
/** `ERROR …`, `2026-01-24T10:00:00Z WARN …`: in capitals, where a level stands and not a word of a sentence. */
const CAPITALS = new RegExp(String.raw`${HEADER}(${WORDS.toUpperCase()})(?=\s|\||\]|$)`);
const KLOG_LEVELS: Readonly<Record<string, Level>> = { E: 'ERROR', W: 'WARNING', I: 'INFO', D: 'DEBUG' };

/** The level that a printed line names, in its text or as JSON; INFO when it names none. */
export function levelOfText(text: string): Level {
  const head = text.length > HEAD_CHARS ? text.slice(0, HEAD_CHARS) : text;
  if (!HINT.test(head)) return 'INFO';
  return named(text, head) ?? 'INFO';
}

function named(text: string, head: string): Level | undefined {
  const plain = head.includes('\u001b') ? head.replace(COLOUR, '') : head;
  const start = plain.trimStart();
  if (start.startsWith('{')) return levelOfJson(text);
  const klog = KLOG.exec(start)?.[1];
  if (klog) return KLOG_LEVELS[klog];
  const word =
    LOGFMT.exec(plain)?.[2] ??
    BRACKETED.exec(start)?.[1] ??
    COLON.exec(start)?.[1] ??
    NPM.exec(start)?.[1]?.replace('!', '') ??
    CAPITALS.exec(start)?.[1];
  if (word === undefined) return undefined;
  return parseLevel(word.toLowerCase() === 'crit' ? 'critical' : word);
}

function levelOfJson(text: string): Level | undefined {
  if (text.length > JSON_CHARS || !JSON_KEY.test(text)) return undefined;
  try {
    const { level, severity, lvl } = JSON.parse(text) as Record<string, unknown>;
    return parseLevel(level) ?? parseLevel(severity) ?? parseLevel(lvl);
  } catch {
    // Not JSON after all: an ordinary line that begins with a brace.
    return undefined;
  }
}
