import { RE2JS } from 're2js';
import { TrailError } from '../../core/error.ts';
import { REDACTION_PATTERN_CHARS, REDACTION_PATTERN_SIZE, REDACTION_RULES } from '../../core/limits.ts';
import { requiredTexts } from '../../core/literals.ts';
import { patternSize } from '../../core/pattern.ts';
import type { RedactionRule, Secret } from '../../core/redaction.ts';

interface Compiled {
  readonly name: string;
  readonly kind: string;
  readonly pattern: RE2JS;
  /** The group that is the secret; 0 is the whole match. */
  readonly group: 0 | 1;
  /** A text in small letters that every match contains: the pattern is tried only where it is. */
  readonly needed: string | undefined;
}

const NAME = /^[a-z0-9][a-z0-9-]{0,63}$/;

/** Rules, compiled. Their time is linear in the text, whatever their pattern. */
export class Rules {
  readonly #rules: readonly Compiled[];

  /** Throws `invalid_setting` that names the rule by its place, and what is wrong there. */
  constructor(rules: readonly RedactionRule[]) {
    if (rules.length > REDACTION_RULES) {
      throw wrong('rules', `expected at most ${REDACTION_RULES}, got ${rules.length}`);
    }
    const names = new Set<string>();
    this.#rules = rules.map((rule, index) => {
      if (names.has(rule.name)) throw wrong(`rules.${index}.name`, `expected another name, got ${rule.name} again`);
      names.add(rule.name);
      return compiled(rule, `rules.${index}`);
    });
  }

  find(text: string, found: Secret[]): void {
    if (this.#rules.length === 0 || text === '') return;
    const small = text.toLowerCase();
    for (const { name, kind, pattern, group, needed } of this.#rules) {
      if (needed !== undefined && !small.includes(needed)) continue;
      const matcher = pattern.matcher(text);
      while (matcher.find()) {
        const [start, end] = [matcher.start(group), matcher.end(group)];
        if (start >= 0 && end > start) found.push({ start, end, kind, by: 'rule', rule: name });
      }
    }
  }

  /** Where a match may have begun that is not ended: at the text that it needs, when no blank stands behind; -1 for nowhere. */
  unended(text: string): number {
    const small = text.toLowerCase();
    const starts = this.#rules.flatMap(({ needed }) => {
      const at = needed === undefined ? -1 : small.lastIndexOf(needed);
      return at >= 0 && !/\s/.test(small.slice(at)) ? [at] : [];
    });
    return starts.length === 0 ? -1 : Math.min(...starts);
  }
}

function compiled({ name, pattern: source, kind = name }: RedactionRule, place: string): Compiled {
  for (const [key, value] of Object.entries({ name, kind })) {
    if (!NAME.test(value)) throw wrong(`${place}.${key}`, `expected 1–64 of a-z 0-9 -, got ${shown(value)}`);
  }
  const at = `${place}.pattern`;
  if (source.length > REDACTION_PATTERN_CHARS) {
    throw wrong(at, `expected at most ${REDACTION_PATTERN_CHARS} characters, got ${source.length}`);
  }
  const size = patternSize(source);
  if (size > REDACTION_PATTERN_SIZE) {
    throw wrong(
      at,
      `expected at most ${REDACTION_PATTERN_SIZE} pieces with repetitions written out, got about ${size}`,
    );
  }
  const pattern = compile(source, at);
  if (pattern.matcher('').find()) throw wrong(at, 'expected a pattern that does not match the empty text');
  // Needed is what stands in every match; the longest tells most.
  const [needed] = requiredTexts(source).toSorted((a, b) => b.length - a.length);
  return { name, kind, pattern, group: pattern.groupCount() > 0 ? 1 : 0, needed };
}

function compile(source: string, place: string): RE2JS {
  try {
    return RE2JS.compile(source);
  } catch (cause) {
    throw wrong(place, `expected RE2 syntax: ${cause instanceof Error ? cause.message : String(cause)}`, cause);
  }
}

function wrong(path: string, detail: string, cause?: unknown): TrailError {
  return new TrailError('invalid_setting', `redaction.${path}: ${detail}`, { cause, errors: [{ path, detail }] });
}

function shown(value: string): string {
  return JSON.stringify(value.slice(0, 100));
}
