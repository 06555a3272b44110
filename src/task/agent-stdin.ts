import type { CommandRun } from '../capture/command.ts';
import type { TaskContext } from '../core/plugin.ts';

/** Nothing after the prompt, lines of text, or messages as JSON (`claude --input-format stream-json`). */
export type AgentInput = 'none' | 'text' | 'stream-json';

/** A text as an agent's standard input takes it; what takes nothing after the prompt gets that as it is. */
export function stdinText(input: AgentInput, text: string): string {
  if (input === 'none') return text;
  if (input === 'text') return `${text}\n`;
  const message = { role: 'user', content: [{ type: 'text', text }] };
  return `${JSON.stringify({ type: 'user', message })}\n`;
}

export interface AgentStdinOptions {
  readonly child: Pick<CommandRun, 'write' | 'endInput'>;
  readonly input: AgentInput;
  readonly context: Pick<TaskContext, 'takeInput'>;
  /** Told of each message that could not be written. */
  readonly unread: () => void;
}

/** The standard input of a running agent: what people say to its task is written there. */
export class AgentStdin {
  readonly #child: AgentStdinOptions['child'];
  readonly #stop: () => Promise<void>;
  #closing: Promise<void> | undefined;

  private constructor(child: AgentStdinOptions['child'], stop: () => Promise<void>) {
    this.#child = child;
    this.#stop = stop;
  }

  static async open({ child, input, context, unread }: AgentStdinOptions): Promise<AgentStdin> {
    const { stop } = await context.takeInput(async (message) => {
      if (!(await child.write(stdinText(input, message)))) unread();
    });
    return new AgentStdin(child, stop);
  }

  /** Give it what was said until now, then end it. Safe to call twice. */
  close(): Promise<void> {
    this.#closing ??= this.#stop().finally(() => this.#child.endInput());
    return this.#closing;
  }
}
