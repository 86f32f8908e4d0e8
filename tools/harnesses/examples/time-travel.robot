*** Settings ***
Documentation       The boards boot once; each test begins where they had booted.
Library             FermataLibrary
Suite Setup         Boot Once
Test Setup          Rewind Simulation    booted

*** Test Cases ***
The Board Goes On Where It Was
    Suspend Simulation
    Resume Simulation
    ${tick} =    Expect Serial    board    "tick":(\\d+)
    Should Be True    ${tick} > 1

An Hour Passes In A Moment
    Clock Should Be Between    board    2024-02-29T12:00:00Z    2024-02-29T12:59:59Z
    Suspend Simulation
    Resume Simulation    clock=+1h
    Clock Should Be Between    board    2024-02-29T13:00:00Z    2024-02-29T13:59:59Z
    Clock Should Be Between    gateway    2024-02-29T13:00:00Z    2024-02-29T13:59:59Z

And The Next Test Knows Nothing Of That
    Clock Should Be Between    board    2024-02-29T12:00:00Z    2024-02-29T12:59:59Z

*** Keywords ***
Boot Once
    Start Simulation    lab.yaml
    Expect Serial    board    "tick":1,    timeout=60s
    Checkpoint Simulation    booted
