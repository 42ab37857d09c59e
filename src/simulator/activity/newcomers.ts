// People who come to the app through a friend's link: they open it as strangers and register minutes later.
import { dayMs, minuteMs } from '../../kernel/clock.js';
import { strangersAgents } from './channels.js';
import { open } from './opens.js';
import type { Sharing } from './shares.js';

/** Index of the newcomer → the share whose link brought them. */
export function makeNewcomers(sharing: Sharing): Map<number, string> {
  const { setting } = sharing;
  const draw = setting.random.stream('newcomers');
  const via = new Map<number, string>();
  for (const person of setting.people.filter(({ newcomer }) => newcomer)) {
    const opensAt = person.registersAt - draw.between(1, 9) * minuteMs;
    const recent = sharing.links.filter(({ at }) => at < opensAt - minuteMs && at > opensAt - 3 * dayMs);
    if (recent.length === 0 || !draw.chance(0.7)) continue;
    const link = draw.pick(recent);
    const visitor = { ip: `10.${250 + draw.below(5)}.${draw.below(250)}.9`, userAgent: draw.pick(strangersAgents) };
    if (!open(sharing, link, opensAt, visitor)) continue;
    setting.script.count('opens.human');
    via.set(person.index, link.shareId);
  }
  return via;
}
