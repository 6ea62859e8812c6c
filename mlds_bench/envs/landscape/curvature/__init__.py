"""The science of the room: Hessians, spectra, planes through a landscape."""
