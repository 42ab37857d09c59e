// The dashboard as a person sees it: real figures of a real service, in a real browser, light and dark.
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { keys, RunningService } from '../e2e/running-service.js';
import { browserPath, launchBrowser } from './browser.js';
import { sendCards } from './card-history.js';

const executable = browserPath();
if (!executable) process.stderr.write('no chromium on PATH: the dashboard is not looked at\n');
const withBrowser = executable ? describe : describe.skip;
/** Where to leave what was seen; nothing is left behind unless it is set. */
const pictures = process.env['HOMING_TEST_PICTURES'];

let service: RunningService;
let browser: Browser;
const troubles: string[] = [];

async function open(scheme: 'light' | 'dark', search = '', key = keys.analyst): Promise<Page> {
  const page = await browser.newPage({ colorScheme: scheme, viewport: { width: 1280, height: 1000 } });
  page.on('pageerror', (error) => troubles.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') troubles.push(message.text());
  });
  await page.goto(`${service.url}/dashboard/${search}#key=${key}`);
  return page;
}
async function picture(page: Page, name: string): Promise<void> {
  if (!pictures) return;
  await page.waitForFunction("!document.querySelector('.skeleton')");
  mkdirSync(pictures, { recursive: true });
  await page.screenshot({ path: join(pictures, `${name}.png`), fullPage: true });
}

withBrowser('the dashboard', () => {
  beforeAll(async () => {
    service = await RunningService.start();
    browser = await launchBrowser(executable ?? '');
    await shareSomething(service);
  });
  afterAll(async () => {
    await browser?.close();
    await service?.stop();
  });

  it.each(['light', 'dark'] as const)('shows what was shared and how far the data are complete, %s', async (scheme) => {
    const page = await open(scheme);
    const shares = page.locator('.tile', { hasText: 'Shares' });
    await shares.locator('.value').waitFor();
    expect(await shares.locator('.value').textContent()).toBe('3');
    expect(await shares.locator('.of').textContent()).toBe('1 in the app · 2 off the platform');
    const offPlatform = page.locator('.tile', { hasText: 'Off-platform rate' });
    expect(await offPlatform.locator('.value').textContent()).toBe('66.7 %');
    expect(await offPlatform.locator('.of').textContent()).toContain('2 of 3 · 95 %');
    await page.locator('.tile', { hasText: 'Click-back rate' }).getByText('not final yet').waitFor();
    expect(await page.locator('#complete-up-to').textContent()).toMatch(
      /^Data complete up to \d+ \w+ \d{4}, \d\d:\d\d UTC$/,
    );
    const creators = page.locator('.card', { hasText: 'Off-platform rate by creator' });
    await creators.getByText('20.8 to 93.9 %').waitFor();
    expect(await creators.locator('tbody').textContent()).toBe('creator-12 of 366.7 %\n20.8 to 93.9 %');
    await page.locator('.chart canvas').first().waitFor();
    await picture(page, `sharing-${scheme}`);
    await page.close();
    expect(troubles).toEqual([]);
  });

  it('keeps the key out of the address and the filter in it', async () => {
    const page = await open('light');
    await page.getByRole('button', { name: 'whatsapp' }).first().click();
    await page.getByRole('button', { name: 'channel: whatsapp ×' }).waitFor();
    expect(new URL(page.url()).searchParams.get('channel')).toBe('whatsapp');
    expect(page.url()).not.toContain('hk_');
    await page.goBack();
    await page.getByRole('button', { name: 'channel: whatsapp ×' }).waitFor({ state: 'detached' });
    await page.close();
  });

  it('exports what it shows, with how sure and how final each figure is', async () => {
    const page = await open('light');
    const creators = page.locator('.card', { hasText: 'Off-platform rate by creator' });
    await creators.getByText('20.8 to 93.9 %').waitFor();
    const downloading = page.waitForEvent('download');
    await creators.getByRole('button', { name: 'CSV' }).click();
    const [header = '', row = '', ...others] = readFileSync(await (await downloading).path(), 'utf8').split('\r\n');
    expect(others).toEqual([]);
    const exported = Object.fromEntries(header.split(',').map((name, index) => [name, row.split(',')[index]]));
    const [from, to] = [-2, 2].map((days) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10));
    const question = `/v1/metrics/leakage-rate?by=creator&from=${from}&to=${to}`;
    const { body } = await service.send('GET', question, { key: keys.analyst });
    const [{ creator, numerator, denominator, rate, interval }] = body['rows'] as [Record<string, unknown>];
    const [intervalLow, intervalHigh] = interval as [number, number];
    const figures = Object.entries({ creator, numerator, denominator, rate, intervalLow, intervalHigh, mature: false });
    expect(exported).toEqual({
      ...Object.fromEntries(figures.map(([name, value]) => [name, String(value)])),
      matureUntil: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
    });
    await page.close();
  });

  it('asks for a key, and says so when it is wrong', async () => {
    const page = await browser.newPage();
    await page.goto(`${service.url}/dashboard/`);
    await page.getByLabel('API key').fill('hk_no_such');
    await page.getByRole('button', { name: 'Open' }).click();
    await page.getByText('(wrong-key)').waitFor();
    await page.close();
  });

  it("shows a brand's cell with too few people as too few, never as nought", async () => {
    const page = await open('dark', '?view=brand&days=30&brand=shoes', keys.brand);
    const seen = page.locator('.step', { hasText: 'saw the card' });
    await seen.getByText('< 50 people').waitFor();
    expect(await page.locator('.funnel').textContent()).not.toMatch(/\b0\b/);
    await picture(page, 'brand-dark');
    await page.close();
    expect(troubles).toEqual([]);
  });
});

withBrowser("the dashboard's brand view", () => {
  beforeAll(async () => {
    service = await RunningService.start({ HOMING_CLOCK: 'import' });
    browser = await launchBrowser(executable ?? '');
    await sendCards(service);
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await service?.stop();
  });

  it.each(['light', 'dark'] as const)(
    'shows figures of enough people, each with its n, its interval and its own day, %s',
    async (scheme) => {
      const page = await open(scheme, '?view=brand&days=30&brand=shoes', keys.brand);
      const step = (name: string) => page.locator('.step', { hasText: name });
      await step('then viewed it').getByText('91.7 %').waitFor();
      expect(await step('saw the card').textContent()).toContain('60 people');
      expect(await step('then viewed it').textContent()).toMatch(/91\.7 % 55 of 60 · 95 % interval 81\.9 to 96\.4 %/);
      await step('then bought it').getByText('< 50 people').waitFor();
      // What rests on messages stands still since the day began; the answers of the brand do not.
      await page.locator('p.complete').getByText('Response times complete up to').waitFor();
      expect(await page.locator('p.complete').textContent()).toBe(
        'What rests on messages complete up to 24 Mar 2025, 00:00 UTCResponse times complete up to 24 Mar 2025, 12:30 UTC',
      );
      expect(await page.locator('#complete-up-to').textContent()).toBe('');
      await picture(page, `brand-figures-${scheme}`);
      await page.close();
      expect(troubles).toEqual([]);
    },
  );
});

/** Two friends, one share in the app, two off the platform, of which one came back. */
async function shareSomething(service: RunningService): Promise<void> {
  const contentRef = { kind: 'video', contentId: 'clip-1', creatorId: 'creator-1' };
  const conversationId = await service.talkBetween('ann', 'bob');
  const shared = async (completion: object): Promise<string> => {
    const { body } = await service.send('POST', '/v1/shares', { member: 'ann', body: { contentRef, surface: 'feed' } });
    const shareId = String(body['shareId']);
    const { status, body: answer } = await service.send('POST', `/v1/shares/${shareId}/complete`, {
      member: 'ann',
      body: completion,
    });
    if (status >= 300) throw new Error(JSON.stringify(answer));
    return shareId;
  };
  await shared({ destinationClass: 'in_app', destination: 'dm', conversationIds: [conversationId] });
  await shared({ destinationClass: 'off_platform', destination: 'copy_link', channelEvidence: 'declared' });
  const shareId = await shared({
    destinationClass: 'off_platform',
    destination: 'whatsapp',
    channelEvidence: 'declared',
  });
  const link = await service.send('POST', `/v1/shares/${shareId}/link`, {
    member: 'ann',
    body: { destinationHint: 'whatsapp' },
  });
  const opened = await service.send('POST', '/v1/link-opens', {
    member: 'bob',
    body: { code: link.body['code'], userAgent: 'Mozilla/5.0 (iPhone)' },
  });
  const position = String(opened.body['position']);
  const query = `from=2020-01-01&to=2020-01-02&minPosition=${position}`;
  await service.settled(`/v1/metrics/leakage-rate?${query}`, keys.analyst);
}
