export function simulationPage(c){c.outlet.textContent='simulation'}
