// A disclosure that closes when attention goes elsewhere.

export function mount(menu) {
  const close = () => menu.removeAttribute('open')
  document.addEventListener('pointerdown', (event) => {
    if (!menu.contains(event.target)) close()
  })
  menu.addEventListener('focusout', (event) => {
    if (event.relatedTarget && !menu.contains(event.relatedTarget)) close()
  })
  menu.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || !menu.open) return
    close()
    menu.querySelector('summary').focus()
  })
}
