import { readFile } from 'node:fs/promises';
import { claude } from '../../src/agents/claude/claude.ts';
import type { EntryInput } from '../../src/core/entry.ts';

/** A recorded run of an agent, as the lines that its parser makes. */
export async function recorded(name: string): Promise<EntryInput[]> {
  const text = await readFile(new URL(`../fixtures/claude/${name}.jsonl`, import.meta.url), 'utf8');
  const parser = claude.createParser();
  const lines = text.split('\n').filter(Boolean);
  return lines.flatMap((message, n) => [
    ...parser.line({
      message,
      source: 'claude',
      stream: 'stdout',
      type: 'output',
      timestamp: Date.UTC(2026, 0, 25, 10, 0, n),
    }).entries,
  ]);
}
