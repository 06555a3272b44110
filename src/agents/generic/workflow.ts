import type { EntryInput } from '../../core/entry.ts';
import type { Level } from '../../core/level.ts';
import { entriesOf } from '../made.ts';

const NAMES: ReadonlySet<string> = new Set([
  ...['group', 'endgroup', 'error', 'warning', 'notice', 'debug', 'add-mask', 'stop-commands'],
]);
const LEVELS: ReadonlyMap<string, Level> = new Map([
  ['error', 'ERROR'],
  ['warning', 'WARNING'],
  ['notice', 'INFO'],
  ['debug', 'DEBUG'],
]);
/** Where the thing is that an error, warning or notice is about: the command's name for it, and ours. */
const PLACES = [
  ['file', 'file'],
  ['line', 'line'],
  ['endLine', 'end_line'],
  ['col', 'column'],
  ['endColumn', 'end_column'],
  ['title', 'title'],
] as const;
/** A longer line is no command, but for `add-mask`, whose value must not be shown. */
const COMMAND_CHARS = 64 * 1024;
const TOKEN_CHARS = 256;
/** Values of a mask of several lines; more are hidden with the whole. */
const MASK_LINES = 100;

export interface Command {
  readonly name: string;
  /** Names in lower case: they are the same in any case. */
  readonly properties: ReadonlyMap<string, string>;
  readonly data: string;
}

/** What a line means when it is a command; undefined when it is an ordinary line. */
export interface Obeyed {
  readonly entries: readonly EntryInput[];
  readonly secrets?: readonly string[];
}

/**
 * The workflow commands of GitHub's runner (https://github.com/actions/runner, `ActionCommand.cs`), as any tool that knows CI prints
 * them. Only those are obeyed that say how output is to be read; the others, which would change the job, are ordinary lines.
 */
export class Workflow {
  /** Commands are ordinary lines until `::TOKEN::`. */
  #stoppedBy: string | undefined;
  /** What follows of a masked line that was too long for one. */
  readonly #hidden = new Set<unknown>();

  obey(line: EntryInput): Obeyed | undefined {
    if (line.metadata?.continued) return this.#hidden.has(line.stream) ? { entries: [] } : undefined;
    this.#hidden.delete(line.stream);
    const text = line.message.trimStart();
    if (!text.startsWith('::') && !text.startsWith('##[')) return undefined;
    if (this.#stoppedBy !== undefined) return this.#resumed(text, line);
    const command = parseCommand(text);
    if (!command) return undefined;
    if (command.name === 'add-mask') return this.#masked(command, line);
    if (text.length > COMMAND_CHARS) return undefined;
    return command.name === 'stop-commands'
      ? this.#stopped(command, line)
      : { entries: entriesOf(line, made(command)) };
  }

  #masked({ data }: Command, line: EntryInput): Obeyed {
    this.#hidden.add(line.stream);
    const lines = data.split(/[\r\n]+/).slice(0, MASK_LINES);
    const secrets = [...new Set([data, ...lines])].filter((value) => value.trim() !== '');
    return { entries: [], secrets };
  }

  #stopped(command: Command, line: EntryInput): Obeyed | undefined {
    const token = command.data.trim();
    // A token that is a command's name would let that command start them again.
    if (token === '' || token.length > TOKEN_CHARS || NAMES.has(token.toLowerCase())) return undefined;
    this.#stoppedBy = token;
    return { entries: entriesOf(line, made(command)) };
  }

  #resumed(text: string, line: EntryInput): Obeyed | undefined {
    const { name } = parseAny(text) ?? {};
    if (name !== this.#stoppedBy?.toLowerCase()) return undefined;
    this.#stoppedBy = undefined;
    const command = { name: 'resume-commands', properties: new Map(), data: '' };
    return { entries: entriesOf(line, made(command)) };
  }
}

/** Undefined when the line is no command that is obeyed. */
export function parseCommand(text: string): Command | undefined {
  const command = parseAny(text.trimStart());
  return command && NAMES.has(command.name) ? command : undefined;
}

function parseAny(text: string): Command | undefined {
  if (text.startsWith('::')) {
    const end = text.indexOf('::', 2);
    if (end < 0) return undefined;
    return commandOf(text.slice(2, end), text.slice(end + 2), { separator: ',', extra: { '%3A': ':', '%2C': ',' } });
  }
  const end = text.indexOf(']');
  if (!text.startsWith('##[') || end < 0) return undefined;
  return commandOf(text.slice(3, end), text.slice(end + 1), { separator: ';', extra: { '%3B': ';', '%5D': ']' } });
}

interface Grammar {
  readonly separator: string;
  /** Escapes of properties, besides those of all texts. */
  readonly extra: Readonly<Record<string, string>>;
}

function commandOf(head: string, data: string, { separator, extra }: Grammar): Command {
  const [name = '', ...rest] = head.split(' ');
  const pairs = rest.join(' ').trim().slice(0, COMMAND_CHARS).split(separator);
  const properties = new Map<string, string>();
  for (const pair of pairs) {
    const at = pair.indexOf('=');
    if (at > 0 && at < pair.length - 1)
      properties.set(pair.slice(0, at).toLowerCase(), unescaped(pair.slice(at + 1), extra));
  }
  // The older form escapes the same characters everywhere.
  const text = unescaped(data, separator === ';' ? extra : {});
  return { name: name.toLowerCase(), properties, data: text };
}

function unescaped(text: string, extra: Readonly<Record<string, string>>): string {
  let plain = text.replaceAll('%0D', '\r').replaceAll('%0A', '\n');
  for (const [escaped, character] of Object.entries(extra)) plain = plain.replaceAll(escaped, character);
  // Last, so that an escaped percent sign escapes nothing.
  return plain.replaceAll('%25', '%');
}

function made({ name, properties, data }: Command) {
  const places = PLACES.flatMap(([key, ours]) => {
    const value = properties.get(key.toLowerCase());
    const isNumber = ours !== 'file' && ours !== 'title';
    if (value === undefined || (isNumber && !/^\d{1,9}$/.test(value))) return [];
    return [[ours, isNumber ? Number(value) : value] as const];
  });
  const level = LEVELS.get(name) ?? 'INFO';
  return { type: 'output', level, message: data, metadata: { command: name, ...Object.fromEntries(places) } } as const;
}
