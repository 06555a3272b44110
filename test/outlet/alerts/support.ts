import type { TestContext } from 'node:test';
import type { AlertDefinition } from '../../../src/core/alert.ts';
import type { Alerts, AlertsParts } from '../../../src/outlet/alerts/alerts.ts';
import { alertsOf } from '../../support/alerts.ts';
import { managed } from '../../task/support.ts';
import { provider } from '../replies/support.ts';

export const definitionOf = (given: Partial<AlertDefinition> = {}): AlertDefinition => ({
  ...{ name: 'Trouble', enabled: true, on: 'lines', query: 'level:error', threshold: 1 },
  ...{ windowSeconds: 300, coolDownSeconds: 900, severity: 'warning', to: [] },
  ...given,
});

/** A real store with alerts that can be stopped and started, a target on loopback, and a clock that can be turned. */
export async function alerting(t: TestContext, options: { dataDir?: string } = {}) {
  const { trail, dataDir } = await managed(t, { idle: true, ...options });
  const there = await provider(t);
  const warnings: string[] = [];
  let aheadMs = 0;
  const clock = { now: () => Date.now() + aheadMs };
  const made = (given: Partial<AlertsParts> = {}): Alerts => {
    const alerts = alertsOf(trail.parts, {
      ...{ clock, publicUrl: 'https://trail.example/' },
      accounts: { slack: { url: `${there.url}/api`, token: 'xoxb-1234567890-abcdefghij' } },
      log: { warn: (message) => warnings.push(message) },
      ...given,
    });
    t.after(() => alerts.close());
    return alerts;
  };
  const started = async (given: Partial<AlertsParts> = {}): Promise<Alerts> => {
    const alerts = made(given);
    alerts.start();
    await alerts.settled();
    return alerts;
  };
  const hook = { webhook: `${there.url}/hook` };
  return { trail, dataDir, there, hook, made, started, warnings, clock, ahead: (ms: number) => (aheadMs += ms) };
}
