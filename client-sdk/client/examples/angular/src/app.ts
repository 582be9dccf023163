import { AsyncPipe } from '@angular/common';
import { Component, CUSTOM_ELEMENTS_SCHEMA, inject } from '@angular/core';
import { AuthService } from '@auth0/auth0-angular';
import { Slo } from '@slo-hub/client/angular';

@Component({
  selector: 'app-root',
  imports: [AsyncPipe],
  schemas: [CUSTOM_ELEMENTS_SCHEMA],
  template: `
    @if (slo.signedOut(); as event) {
      <slo-signed-out [event]="event"><button (click)="signIn()">Sign in</button></slo-signed-out>
    } @else if (!slo.isReady()) {
      <p>One moment…</p>
    } @else {
      @if (auth0.user$ | async; as user) {
        <main>
          <p>Signed in as {{ user.name }}</p>
          <button (click)="signOut()">Sign out</button>
        </main>
      } @else {
        <button (click)="signIn()">Sign in</button>
      }
    }
  `,
})
export class App {
  protected readonly slo = inject(Slo);
  protected readonly auth0 = inject(AuthService);

  protected signIn() {
    this.auth0.loginWithRedirect();
  }

  protected signOut() {
    return this.slo.logout({ reason: 'You signed out in Notes', logoutParams: { returnTo: location.origin } });
  }
}
