"""Boot once, test many, as a strategy of labgrid: `booted` boots only the first time, and rewinds ever after."""

import attr
from labgrid.factory import target_factory
from labgrid.strategy import Strategy, StrategyError


@target_factory.reg_driver
@attr.s(eq=False)
class BootedStrategy(Strategy):
    bindings = {"lab": "FermataDriver"}
    has_booted = False

    def transition(self, status):
        self.target.activate(self.lab)
        if status == "off":
            self.lab.off()
        elif status != "booted":
            raise StrategyError(f"no transition to {status}: there are off and booted")
        elif self.has_booted:
            self.lab.rewind("booted")
        else:
            self.lab.on()
            self.lab.expect('"tick":1,', timeout=60)
            self.lab.checkpoint("booted")
            self.has_booted = True
