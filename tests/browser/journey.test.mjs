// A new user's way, and what a team does: from the first link to a widget that answers, in one server and in order.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { PASSWORD, Program, browser, code, faults, handbook, school, setUp, shot } from './support.mjs';

const program = new Program();
let chromium, owner, page, address, began;

before(async () => {
  began = Date.now();
  address = await program.serve();
  chromium = await browser();
  owner = await chromium.newContext();
  page = await owner.newPage();
});

after(async () => {
  await chromium?.close();
  await program.end();
});

const asked = async (student, question) => {
  await student.locator('neverafk-chat textarea').fill(question);
  await student.keyboard.press('Enter');
};

test('from nothing to a widget that answers from an uploaded PDF', async () => {
  await setUp(page, program.link, { course: 'Night School' });
  assert.match(page.url(), /\/dashboard\/night-school$/);
  await page.click('text=Bring your content in');
  await page.setInputFiles('#files', handbook);
  await page.waitForSelector('#uploads .again', { timeout: 120_000 });
  assert.match(await page.textContent('#uploads'), /handbook\.pdf\s*\d+ passages/);
  await page.click('#uploads .again a');
  assert.match(await page.textContent('.documents'), /\d+ pages/);

  await page.click('nav >> text=Keys & widget');
  const line = await page.textContent('#snippet');
  const elsewhere = await school(address, line);
  const student = await owner.newPage();
  const refused = [];
  student.on('console', (message) => message.type() === 'error' && refused.push(message.text()));
  await student.goto(elsewhere.url);
  await student.locator('neverafk-chat .launch').click();
  await asked(student, 'What deposit does the lending library ask for a pair of binoculars?');
  const source = student.locator('neverafk-chat .src button').first();
  await source.waitFor({ timeout: 30_000 });
  await source.click();
  await shot(student, 'journey-widget');
  const opened = owner.waitForEvent('page');
  await student.locator('neverafk-chat .q a').first().click();
  const viewer = await opened;
  await viewer.waitForLoadState();
  const quoted = await viewer.locator('mark').first().textContent();
  const quote = await student.locator('neverafk-chat blockquote').first().textContent();
  assert.ok(quote.trim().startsWith(quoted.trim().slice(0, 20)), `${quoted} | ${quote}`);
  await shot(viewer, 'journey-viewer');
  const took = (Date.now() - began) / 1000;
  console.log(`from the first link to a quotation in the viewer: ${took.toFixed(1)} s`);
  assert.ok(took < 120);
  assert.deepEqual(refused, [], 'the school\'s policy allows all that the widget does');
  assert.deepEqual(await faults(viewer), []);
  await Promise.all([viewer.close(), student.close()]);
  await elsewhere.end();
});

test('a person takes a conversation over while the student watches', async () => {
  const elsewhere = await school(address, `<script async src="${address}/embed.js" data-creator-id="night-school" data-open="1"></script>`);
  const other = await chromium.newContext();
  const student = await other.newPage();
  await page.goto(`${address}/dashboard/night-school/inbox`);
  await page.waitForSelector('html[data-live]');
  await student.goto(elsewhere.url);
  await asked(student, 'Who painted the ceiling of the Sistine Chapel?');
  await page.locator('#tickets .asked', { hasText: 'Sistine' }).waitFor({ timeout: 30_000 });
  assert.equal(await page.textContent('#waiting .n'), '1');
  assert.match(await page.title(), /^\(1\)/);
  await shot(page, 'journey-inbox');

  await student.locator('neverafk-chat .tip .pill').click();
  await student.locator('neverafk-chat input[type=email]').fill('tom@x.example');
  await student.locator('neverafk-chat .tip form button').click();
  await page.click('#tickets a');
  await page.waitForSelector('text=tom@x.example');
  await page.click('text=Take over');
  await page.waitForURL('**done=take_over');
  await page.waitForSelector('html[data-live]');
  await page.fill('#text', 'Michelangelo, from 1508 to 1512.');
  await page.click('#say button');
  await page.locator('#chat .person', { hasText: 'Michelangelo' }).waitFor();
  await student.locator('neverafk-chat .text', { hasText: 'Michelangelo' }).waitFor({ timeout: 15_000 });
  assert.deepEqual(await faults(student), []);
  await asked(student, 'Thank you! And who paid for it?');
  await page.locator('#chat .student', { hasText: 'who paid' }).waitFor({ timeout: 15_000 });
  await shot(page, 'journey-ticket');
  await shot(student, 'journey-person');
  assert.deepEqual(await faults(page), []);

  await page.click('text=Hand back');
  await page.waitForURL('**done=hand_back');
  await page.click('text=Resolve');
  await page.waitForURL('**done=resolve');
  await other.close();
  await elsewhere.end();
});

test('without its script the inbox does the same', async () => {
  const plain = await chromium.newContext({ javaScriptEnabled: false, storageState: await owner.storageState() });
  const bare = await plain.newPage();
  await bare.goto(`${address}/dashboard/night-school/inbox?state=resolved`);
  await bare.click('#tickets a');
  await bare.fill('#text', 'One word more: Julius II paid.');
  await bare.click('#say button');
  await bare.waitForURL('**done=say');
  assert.match(await bare.textContent('#chat'), /Julius II paid/);
  await plain.close();
});

test('an answer is corrected and given so from then on', async () => {
  await page.goto(`${address}/dashboard/night-school/conversations?q=Sistine`);
  await page.click('.talks a');
  await page.locator('summary', { hasText: 'Correct this answer' }).first().click();
  await page.locator('textarea[name=answer]').first().fill('Michelangelo painted it, from 1508 to 1512.');
  await page.locator('text=Answer so from now on').first().click();
  await page.waitForURL('**done=true');
  const reply = await page.request.post(`${address}/chat`, { data: { creator_id: 'night-school', message: 'Who painted the ceiling of the Sistine Chapel?' } });
  assert.match((await reply.json()).response, /Michelangelo painted it/);
});

test('an invitation lets an agent in, who sees the inbox and no keys', async () => {
  await page.goto(`${address}/dashboard/night-school/team`);
  await page.fill('#email', 'ben@school.example');
  await page.selectOption('#role', 'agent');
  await page.click('text=Make an invitation');
  const link = await page.textContent('#link');
  const other = await chromium.newContext();
  const agent = await other.newPage();
  await agent.goto(link);
  await agent.fill('#name', 'Ben');
  await agent.fill('#password', PASSWORD);
  await agent.click('main button');
  await agent.waitForURL('**/dashboard/night-school');
  const links = await agent.locator('nav a').allTextContents();
  assert.ok(links.some((text) => text.startsWith('Inbox')) && !links.some((text) => text.startsWith('Keys')), links.join());
  await other.close();
});

test('a key is made, works, and is revoked', async () => {
  await page.goto(`${address}/dashboard/night-school/widget`);
  await page.fill('#key-name', 'laptop');
  await page.click('text=Make a key');
  const key = await page.textContent('#key');
  const status = async () => (await fetch(`${address}/api/v1/documents`, { headers: { authorization: `Bearer ${key}` } })).status;
  assert.equal(await status(), 200);
  await page.goto(`${address}/dashboard/night-school/widget`);
  await page.click('summary[aria-label="Revoke laptop"]');
  await page.click('text=Revoke it');
  await page.waitForURL('**done=true');
  assert.equal(await status(), 401);
});

test('signing in takes a code once an authenticator is set up', async () => {
  await page.goto(`${address}/account/authenticator`);
  const secret = await page.textContent('.secret code');
  await page.fill('#code', code(secret));
  await page.click('main form button');
  await page.waitForSelector('#codes');
  const other = await chromium.newContext();
  const anew = await other.newPage();
  await anew.goto(`${address}/login`);
  await anew.fill('#email', 'mara@school.example');
  await anew.fill('#password', PASSWORD);
  await anew.keyboard.press('Enter');
  await anew.waitForSelector('#code');
  await anew.fill('#code', '000000');
  await anew.keyboard.press('Enter');
  await anew.waitForSelector('#fault');
  // A code works once, so this is the next one; one step ahead is taken too.
  await anew.fill('#code', code(secret, Date.now() + 30_000));
  await anew.keyboard.press('Enter');
  await anew.waitForURL('**/dashboard/night-school');
  await other.close();
});

test('the keyboard reaches the content first and then everything', async () => {
  await page.goto(`${address}/dashboard/night-school`);
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.className), 'skip');
  await page.keyboard.press('Enter');
  assert.ok(page.url().endsWith('#main'));
});
