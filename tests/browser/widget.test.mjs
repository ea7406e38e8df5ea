// The widget as a creator sets it up and a student uses it: a change that needs no pasting, a promise before the first
// question, why an answer did not help, and words of a person behind the closed panel.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Program, browser, faults, school, setUp, shot } from './support.mjs';

const program = new Program();
// The smallest picture that is taken: 16 by 16 pixels of one colour.
const PICTURE = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAABAAAAAQCAIAAACQkWg2AAAAFklEQVR42mPgL8sjCTGMahjVMHw1AADRzfMB51v/iwAAAABJRU5ErkJggg==', 'base64');
let chromium, owner, page, address, elsewhere;

before(async () => {
  program.run('demo', '--offline', '--no-serve');
  address = await program.serve();
  chromium = await browser();
  owner = await chromium.newContext();
  page = await owner.newPage();
  await setUp(page, program.link);
  await page.goto(`${address}/dashboard/demo/widget`);
  const line = await page.textContent('#snippet');
  assert.equal(line, `<script async src="${address}/embed.js" data-creator-id="demo"></script>`);
  elsewhere = await school(address, line);
});

after(async () => {
  await elsewhere?.end();
  await chromium?.close();
  await program.end();
});

// A student who was never here, with what the page asks of the server.
const newcomer = async (options = {}) => {
  const context = await chromium.newContext({ reducedMotion: 'reduce', ...options });
  const student = await context.newPage();
  const looks = [];
  student.on('request', (request) => request.url().includes('/chat/look') && looks.push(request.url()));
  return { context, student, looks, chat: student.locator('neverafk-chat') };
};

test('a brand that is saved is on the page that was pasted before', async () => {
  const { context, student, looks, chat } = await newcomer();
  await student.goto(elsewhere.url);
  await chat.locator('.launch').click();
  assert.notEqual(await chat.locator('.name').textContent(), 'Ask Mara');
  assert.equal(looks.length, 1, looks.join());
  await context.close();

  await page.goto(`${address}/dashboard/demo/voice`);
  await page.fill('#title', 'Ask Mara');
  await page.fill('#css', 'bg: #fffdf7\nradius: 4px');
  // The preview wears it before it is saved.
  const preview = page.locator('#preview .panel');
  const ground = async () => (await preview.count()) && preview.evaluate((node) => getComputedStyle(node).backgroundColor);
  for (let tries = 0; await ground() !== 'rgb(255, 253, 247)' && tries < 100; tries += 1) await page.waitForTimeout(50);
  assert.equal(await ground(), 'rgb(255, 253, 247)');
  await page.uncheck('input[name=powered_by]');
  await page.check('input[name=dictation]');
  await page.click('#looks button');
  await page.waitForURL('**done=true**');
  assert.deepEqual(await faults(page), []);

  const next = await newcomer();
  await next.student.goto(elsewhere.url);
  await next.chat.locator('.launch').click();
  await next.chat.locator('.name', { hasText: 'Ask Mara' }).waitFor();
  const panel = await next.chat.locator('.panel').evaluate((node) => [getComputedStyle(node).borderRadius, getComputedStyle(node).backgroundColor]);
  assert.deepEqual(panel, ['4px', 'rgb(255, 253, 247)']);
  assert.equal(await next.chat.locator('.by').count(), 0);
  assert.equal(await next.chat.locator('[aria-label=Dictate]').count(), 1, 'Chromium can');
  await shot(next.student, 'widget-brand');
  assert.deepEqual(await faults(next.student), []);
  await next.context.close();
});

test('the words in grey are where a change of them begins', async () => {
  await page.goto(`${address}/dashboard/demo/voice`);
  const field = page.locator('#p-safety');
  const shipped = await field.getAttribute('placeholder');
  assert.match(shipped, /findahelpline/);
  await page.click('[data-fill=p-safety]');
  assert.equal(await field.inputValue(), shipped);
  assert.ok(await page.locator('[data-fill=p-safety]').isHidden());
  assert.deepEqual(await faults(page), []);
});

test('a value that could do more than colour is refused, and stays to be mended', async () => {
  await page.goto(`${address}/dashboard/demo/voice`);
  await page.fill('#css', 'bg: url(https://x.example/a.png)');
  await page.click('#looks button');
  await page.waitForSelector('#fault');
  assert.equal(await page.inputValue('#css'), 'bg: url(https://x.example/a.png)');
});

test('a picture is brought in, shown and taken away', async () => {
  await page.goto(`${address}/dashboard/demo/voice`);
  await page.setInputFiles('#face', { name: 'face.svg', mimeType: 'image/svg+xml', buffer: Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>') });
  await page.locator('#face-told', { hasText: 'PNG' }).waitFor();
  await page.setInputFiles('#face', { name: 'face.png', mimeType: 'image/png', buffer: PICTURE });
  await page.waitForSelector('img.face');
  assert.ok(await page.locator('img.face').evaluate((image) => image.decode().then(() => image.naturalWidth)) === 16);
  assert.deepEqual(await faults(page), []);
  await page.click('text=Take it away');
  await page.waitForURL('**done=true**');
  assert.equal(await page.locator('img.face').count(), 0);
});

test('a promise is read before the first question, in the language of the line', async () => {
  await page.goto(`${address}/dashboard/demo/data`);
  await page.fill('#consent', 'Questions are kept for 90 days: [what we keep](https://school.example/privacy)');
  await page.fill('#keep_days', '90');
  await page.click('form[action$="/data/privacy"] button');
  await page.waitForURL('**done=true');
  assert.deepEqual(await faults(page), []);
  const { context, student, chat } = await newcomer();
  const german = await school(address, `<script async src="${address}/embed.js" data-creator-id="demo" data-lang="de"></script>`);
  await student.goto(german.url);
  await chat.locator('.launch').click();
  const line = chat.locator('.bar', { hasText: 'kept for 90 days' });
  await line.waitFor();
  assert.equal(await line.locator('a').getAttribute('href'), 'https://school.example/privacy');
  assert.equal(await chat.locator('textarea').getAttribute('placeholder'), 'Deine Frage…');
  await shot(student, 'widget-consent');
  assert.deepEqual(await faults(student), []);
  await chat.locator('textarea').fill('Kann ich mein Geld zurückbekommen?');
  await student.keyboard.press('Enter');
  await line.waitFor({ state: 'hidden' });
  await context.close();
  await german.end();
});

test('why an answer did not help is said and seen, and words of a person are counted behind the closed panel', async () => {
  const { context, student, chat } = await newcomer();
  await student.goto(elsewhere.url);
  await chat.locator('.launch').click();
  await chat.locator('textarea').fill('Can I get my money back?');
  await student.keyboard.press('Enter');
  await chat.locator('.poor').waitFor({ timeout: 30_000 });
  await chat.locator('.poor').click();
  await chat.locator('.tip .pill', { hasText: 'Something is missing' }).click();
  await chat.locator('.tip input').fill('How long it takes');
  await shot(student, 'widget-reasons');
  assert.deepEqual(await faults(student), []);
  await chat.locator('.tip form .pill', { hasText: 'Send' }).click();
  await chat.locator('.sub', { hasText: 'Thank you.' }).waitFor();
  await page.goto(`${address}/dashboard/demo/insights`);
  const said = await page.locator('section[aria-labelledby=complaints]').textContent();
  assert.match(said, /something is missing/);
  assert.match(said, /How long it takes/);

  await chat.locator('textarea').fill('Who painted the ceiling of the Sistine Chapel?');
  await student.keyboard.press('Enter');
  await chat.locator('.tip .pill', { hasText: 'Talk to a person' }).waitFor({ timeout: 30_000 });
  await student.keyboard.press('Escape');
  await page.goto(`${address}/dashboard/demo/inbox`);
  await page.locator('#tickets a', { hasText: 'Sistine' }).click();
  await page.fill('#text', 'Michelangelo, from 1508 to 1512.');
  await page.click('#say button');
  await chat.locator('.n', { hasText: '1' }).waitFor({ timeout: 15_000 });
  assert.match(await chat.locator('.launch').getAttribute('aria-label'), /1 new/);
  await shot(student, 'widget-unread');
  assert.deepEqual(await faults(student), []);
  await student.reload();
  await chat.locator('.n', { hasText: '1' }).waitFor();
  await chat.locator('.launch').click();
  await chat.locator('.n').waitFor({ state: 'hidden' });
  await chat.locator('.text', { hasText: 'Michelangelo' }).waitFor();
  await context.close();
});

test('the widget is there when the server says nothing of its looks', async () => {
  const { context, student, chat } = await newcomer();
  await student.route('**/chat/look**', (route) => route.abort());
  await student.goto(elsewhere.url);
  await chat.locator('.launch').click();
  assert.equal(await chat.locator('.name').textContent(), 'Ask the course');
  await context.close();
});
