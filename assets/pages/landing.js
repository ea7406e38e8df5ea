// The landing page's only script: the snippet names this server, and gets a button that copies it.
(() => {
  const code = document.getElementById('snippet');
  code.textContent = code.textContent.replace('https://YOUR-SERVER', location.origin);
  if (!navigator.clipboard) return;
  const button = document.createElement('button');
  button.className = 'copy';
  button.type = 'button';
  button.textContent = 'Copy the line';
  button.setAttribute('aria-live', 'polite');
  button.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(code.textContent);
      button.textContent = 'Copied';
    } catch {
      button.textContent = 'Select and copy it by hand';
    }
    setTimeout(() => { button.textContent = 'Copy the line'; }, 2500);
  });
  code.parentElement.after(button);
})();
