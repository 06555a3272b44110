import type { AgentExit } from '../core/agent.ts';

/** How the process ended, in the words that `tasktrail run` uses for any command. */
export function exitText({ exitCode, signal, timedOut, fault }: AgentExit): string {
  if (fault !== undefined) return fault;
  if (timedOut) return 'ended after its time limit';
  return signal === null ? `exit code ${exitCode}` : `ended by ${signal}`;
}
