import { createInterface } from 'node:readline';
import { TrailError } from '../../core/error.ts';
import type { RedactionRule } from '../../core/redaction.ts';
import { Blocks } from '../../intake/redact/blocks.ts';
import { replaced } from '../../intake/redact/secrets.ts';
import { createRedactor, type Redactor } from '../../intake/redact.ts';
import { redactionOf } from '../redaction.ts';
import type { Config } from '../settings.ts';
import { jsonText, safeText, type Terminal } from '../terminal.ts';

export interface RedactOptions {
  readonly rule: readonly string[];
  readonly json?: boolean;
}

interface Match {
  readonly kind: string;
  /** `block`: only its neighbours tell that the line is secret. */
  readonly by: 'shape' | 'value' | 'rule' | 'block';
  readonly rule: string | null;
  readonly start: number;
  readonly end: number;
}

/** Print a text, or the lines of standard input, as they would be stored. Answers 0 when something was masked, else 1. */
export async function redactTest(
  terminal: Terminal,
  config: Config,
  text: string | undefined,
  options: RedactOptions,
): Promise<number> {
  const { secrets, redactionRules } = await redactionOf(config);
  const redactor = createRedactor(secrets, [...redactionRules, ...options.rule.map(ruleOf)]);
  const blocks = new Blocks(redactor);
  const lines = text === undefined ? createInterface({ input: process.stdin }) : text.split('\n');
  let count = 0;
  let number = 0;
  for await (const line of lines) {
    number += 1;
    const { masked, matches } = tried(line, { redactor, blocks });
    count += matches.length;
    if (options.json) {
      await terminal.print(`${jsonText({ line: number, masked, matches })}\n`);
    } else {
      await terminal.print(`${safeText(masked, { colour: terminal.colour })}\n`);
      for (const match of matches) terminal.tell(toldOf(number, match));
    }
  }
  if (!options.json) terminal.tell(count === 0 ? 'nothing is masked' : `${count} masked`);
  return count > 0 ? 0 : 1;
}

function tried(line: string, { redactor, blocks }: { readonly redactor: Redactor; readonly blocks: Blocks }) {
  const secrets = redactor.find(line);
  const masked = blocks.mask(line, { taskId: '' });
  if (masked === replaced(line, secrets)) return { masked, matches: secrets as readonly Match[] };
  const kind = /\[redacted:([a-z-]+)\]$/.exec(masked)?.[1] ?? '';
  return { masked, matches: [{ kind, by: 'block', rule: null, start: 0, end: line.length } satisfies Match] };
}

/** `line 1, 8–48: github-token, a known shape`: the place, and never the secret. */
function toldOf(number: number, { kind, by, rule, start, end }: Match): string {
  const why = {
    shape: 'a known shape',
    value: 'a registered value or one of the environment',
    rule: `the rule ${rule}`,
    block: 'the lines around it',
  };
  return `line ${number}, characters ${start + 1}–${end}: ${kind}, by ${why[by]}`;
}

function ruleOf(text: string): RedactionRule {
  const at = text.indexOf('=');
  if (at > 0) return { name: text.slice(0, at), pattern: text.slice(at + 1) };
  throw new TrailError('invalid_usage', `--rule: expected NAME=PATTERN, got ${JSON.stringify(text.slice(0, 100))}`);
}
