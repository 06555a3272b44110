import { setTimeout as delay } from 'node:timers/promises';
import type { JsonObject } from '../core/entry.ts';
import type { Plugin, TaskContext } from '../core/plugin.ts';

export interface DemoParams {
  readonly steps: number;
  readonly delay_ms: number;
  readonly fail: boolean;
  readonly ask: boolean;
}

type DemoContext = TaskContext<DemoParams>;

/** Where the run fails when it is told to, as a part of its steps. */
const FAILS_AT = 0.75;

/** Does nothing, but shows all that a task can show: levels, sources, tools, progress, a question, a failure, a pause. */
export const demoPlugin: Plugin<DemoParams> = {
  id: 'demo',
  name: 'Demo',
  description: 'Shows what a task looks like: levels, sources, tools, progress, and when asked a question or a failure',
  version: '1.0.0',
  pausable: true,
  parameters: {
    type: 'object',
    additionalProperties: false,
    properties: {
      steps: { type: 'integer', minimum: 1, maximum: 1000, default: 20, description: 'How many steps to take' },
      delay_ms: { type: 'integer', minimum: 0, maximum: 5000, default: 200, description: 'Time that a step takes' },
      fail: { type: 'boolean', default: false, description: 'Fail after three quarters of the steps' },
      ask: { type: 'boolean', default: false, description: 'Ask a person in the middle whether to go on' },
    },
  },
  execute: runDemo,
};

async function runDemo({ steps, delay_ms, fail, ask }: DemoParams, context: DemoContext): Promise<JsonObject> {
  const { logger, signal } = context;
  logger.info(`Taking ${steps} steps`, { steps, delay_ms });
  const askAt = ask ? Math.ceil(steps / 2) : 0;
  const failAt = fail ? Math.ceil(steps * FAILS_AT) : 0;
  for (let step = 1; step <= steps; step++) {
    // A paused task waits here, a cancelled one ends here.
    await context.checkpoint();
    await delay(delay_ms, undefined, { signal });
    takeStep(step, context);
    if (step === failAt) throw new Error(`step ${step} failed, as it was told to`);
    if (step === askAt && !(await mayGoOn(step, context))) return { steps: step, stopped: true };
    context.progress((100 * step) / steps, `${step} of ${steps} steps`);
  }
  logger.info('Every step is taken');
  return { steps, stopped: false };
}

/** One step's lines: each source has its own kind of work, and now and then something to warn of. */
function takeStep(step: number, { logger }: DemoContext): void {
  switch (step % 4) {
    case 1:
      logger.withSource('git').debug(`fetch origin refs/heads/step-${step}`, { step });
      logger.withSource('git').info(`Checked out step-${step}`);
      return;
    case 2:
      useTool(step, logger);
      return;
    case 3:
      logger.withSource('database').info(`Saved ${step * 10} rows`, { step, rows: step * 10 });
      return;
    default:
      logger.withSource('superset_api').warning('Rate limit is near', { step, left: Math.max(0, 100 - step) });
      if (step % 8 === 0)
        logger.withSource('superset_api').error('Chart 7 is not there; left out', { step, status: 404 });
  }
}

function useTool(step: number, logger: DemoContext['logger']): void {
  const file = `src/step-${step}.ts`;
  logger.info(`Read ${file}`, { tool: 'Read', args: { file } }, { source: 'tool', type: 'tool_call' });
  logger.info(`export const step = ${step};`, { tool: 'Read', lines: 1 }, { source: 'tool', type: 'tool_result' });
}

async function mayGoOn(step: number, context: DemoContext): Promise<boolean> {
  const answer = await context.input(`Step ${step} is taken. Go on? (yes or no)`, { questionType: 'confirmation' });
  context.logger.info(`The answer was: ${answer}`);
  return !/^\s*no?\b/i.test(answer);
}
