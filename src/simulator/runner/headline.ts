// The headline figures, three times: what happened, what a perfect observer of the delivered stream could know, and what
// the service says. The service agrees when it says the second, to the last unit.
import type { Truth } from '../oracle/truth.js';
import { appFigures, shareFigures } from './app-figures.js';
import { brandFiguresOf } from './brand-figures.js';
import { cellText, type Figure, figure, type Month, ratioText } from './figure.js';
import type { ReadingApi } from './reading-api.js';

export async function headlineFigures(truth: Truth, api: ReadingApi): Promise<Figure[]> {
  const month = { from: truth.from.slice(0, 10), to: truth.to.slice(0, 10) };
  return [
    ...(await sharingFigures(truth, api, month)),
    ...(await channelFigures(truth, api, month)),
    ...(await returnFigures(truth, api, month)),
    ...(await brandFiguresOf(truth, api, month)),
    ...(await appFigures(truth, api)),
    ...(await shareFigures(truth, api)),
  ];
}

async function sharingFigures({ happened, observable }: Truth, api: ReadingApi, month: Month): Promise<Figure[]> {
  const { inApp, offPlatform, leakageRate } = observable.sharing;
  const { total } = await api.metric('shares', month);
  const leakage = (await api.metric('leakage-rate', month)).total;
  return [
    figure('Shares inside the app', happened['shares.inApp'], String(inApp), String(total['inApp'])),
    figure(
      'Shares off the platform',
      happened['shares.offPlatform'],
      String(offPlatform),
      String(total['offPlatform']),
    ),
    figure('Leakage rate', undefined, ratioText(leakageRate), cellText(leakage)),
    await dailyFigure(observable.sharing.perDay, api, month),
  ];
}

/** Single channels are shown where hidden and told channels differ most; all of them are compared. */
async function channelFigures({ happened, observable }: Truth, api: ReadingApi, month: Month): Promise<Figure[]> {
  const { declared, reclassified } = observable.sharing.channelMix;
  const { rows } = await api.metric('channel-mix', { ...month, limit: '100' });
  const column = (name: 'numerator' | 'reclassified') =>
    Object.fromEntries(
      rows.map((row) => [String(row['channel']), Number(row[name] ?? 0)]).filter(([, count]) => count !== 0),
    );
  const said = { declared: column('numerator'), reclassified: column('reclassified') };
  const both = (channel: string, from: { declared: Record<string, number>; reclassified: Record<string, number> }) =>
    `${from.declared[channel] ?? 0} told, ${from.reclassified[channel] ?? 0} with hints`;
  const known = { declared: { ...declared }, reclassified: { ...reclassified } };
  const whole = { name: 'Channel mix, every channel, both columns', happened: '–' };
  const channels = new Set([...Object.keys(declared), ...Object.keys(reclassified)]).size;
  const agrees = sameCounts(known.declared, said.declared) && sameCounts(known.reclassified, said.reclassified);
  return [
    ...['whatsapp', 'copy_link', 'unknown'].map((channel) =>
      figure(`Shared by ${channel}`, happened[`channel.${channel}`], both(channel, known), both(channel, said)),
    ),
    { ...whole, observable: `${channels} channels`, service: agrees ? 'the same' : 'others', agrees },
  ];
}

function sameCounts(a: Record<string, number>, b: Record<string, number>): boolean {
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...names].every((name) => a[name] === b[name]);
}

async function returnFigures(truth: Truth, api: ReadingApi, month: Month): Promise<Figure[]> {
  const { clickBackRate, talkBackRate } = truth.observable.sharing;
  const { happened, clickBackMatureBefore } = truth;
  const matureTo = clickBackMatureBefore < truth.from ? month.from : clickBackMatureBefore.slice(0, 10);
  const all = await api.metric('click-back-rate', { ...month, window: '7d' });
  const talk = await api.metric('talk-back-rate', { ...month, window: '24h' });
  const figures = [
    figure('Click-back rate, 7 d, all links', undefined, ratioText(clickBackRate.all), cellText(all.total)),
    figure('… and is it final?', undefined, 'no', all.total.mature === false ? 'no' : 'yes'),
    figure('Talk-back rate, 24 h', `${happened['talkBacks']} talked of`, ratioText(talkBackRate), cellText(talk.total)),
  ];
  if (matureTo === month.from) return figures;
  const mature = await api.metric('click-back-rate', { from: month.from, to: matureTo, window: '7d' });
  return [
    figure(
      `Click-back rate, 7 d, links before ${matureTo}`,
      undefined,
      ratioText(clickBackRate.mature),
      cellText(mature.total),
    ),
    figure('… and is it final?', undefined, 'yes', mature.total.mature === true ? 'yes' : 'no'),
    ...figures,
  ];
}

/** Every day's shares, in the app and off the platform. */
async function dailyFigure(
  perDay: Truth['observable']['sharing']['perDay'],
  api: ReadingApi,
  month: Month,
): Promise<Figure> {
  const { rows } = await api.metric('shares', { ...month, by: 'day', limit: '100' });
  const said = new Map(
    rows.map((row) => [String(row['day']), `${String(row['inApp'])} ${String(row['offPlatform'])}`]),
  );
  const shared = perDay.filter(({ inApp, offPlatform }) => inApp + offPlatform > 0);
  const same = shared.every(({ day, inApp, offPlatform }) => said.get(day) === `${inApp} ${offPlatform}`);
  const agrees = same && said.size === shared.length;
  return {
    name: 'Shares of each day, inside and off',
    happened: '–',
    observable: `${shared.length} days`,
    service: agrees ? 'the same' : 'others',
    agrees,
  };
}
